Feature: Set
  What a task that sets data gives on.

  Scenario: Set replaces the data
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: set-replaces, version: '1.0.0' }
    do:
      - replace:
          set:
            b: 2
    """
    And given the workflow input is:
    """yaml
    a: 1
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    b: 2
    """

  Scenario: Set to one expression
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: set-expression, version: '1.0.0' }
    do:
      - double:
          set: '${ map(. * 2) }'
    """
    And given the workflow input is:
    """yaml
    [ 1, 2 ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    [ 2, 4 ]
    """

  Scenario: Expressions at every depth
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: set-deep, version: '1.0.0' }
    do:
      - build:
          set:
            list:
              - '${ .n }'
              - { twice: '${ .n * 2 }', fixed: true }
            none: null
    """
    And given the workflow input is:
    """yaml
    n: 21
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    list: [ 21, { twice: 42, fixed: true } ]
    none: null
    """

  Scenario: All expressions of one set see the data before it
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: set-at-once, version: '1.0.0' }
    do:
      - swap:
          set: { a: '${ .b }', b: '${ .a }' }
    """
    And given the workflow input is:
    """yaml
    { a: 1, b: 2 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { a: 2, b: 1 }
    """

  Scenario: An empty map
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: set-nothing, version: '1.0.0' }
    do:
      - clear:
          set: {}
    """
    And given the workflow input is:
    """yaml
    a: 1
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    {}
    """

  Scenario: A text that only looks like an expression
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: set-text, version: '1.0.0' }
    do:
      - write:
          set: { path: '.a', price: '$5' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    path: '.a'
    price: '$5'
    """
