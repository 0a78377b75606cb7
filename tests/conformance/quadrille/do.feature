Feature: Do
  Tasks one after the other.

  Scenario: In the order of the list
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: in-the-order-of-the-list, version: '1.0.0' }
    do:
      - red: { set: { list: '${ .list + ["red"] }' } }
      - blue: { set: { list: '${ .list + ["blue"] }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { list: [ red, blue ] }
    """
    And red should run first
    And blue should run last
    And red should run before blue

  Scenario: Lists in lists
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: lists-in-lists, version: '1.0.0' }
    do:
      - outer:
          do:
            - middle:
                do:
                  - inner: { set: { n: '${ .n + 1 }' } }
            - next: { set: { n: '${ .n * 10 }' } }
      - last: { set: { n: '${ .n + 5 }' } }
    """
    And the workflow input is:
    """yaml
    { n: 1 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 25 }
    """
    And 'outer', 'middle', 'inner', 'next', 'last' should run in this order

  Scenario: Data of a list is shaped as a whole
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: data-of-a-list-is-shaped-as-a-whole, version: '1.0.0' }
    do:
      - outer:
          input: { from: .a }
          do:
            - inner: { set: { n: '${ . + 1 }' } }
          output: { as: .n }
    """
    And the workflow input is:
    """yaml
    { a: 1 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    2
    """

  Scenario: A list that is skipped runs none of its tasks
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-list-that-is-skipped-runs-none-of-its-tasks, version: '1.0.0' }
    do:
      - outer:
          if: '${ false }'
          do:
            - inner: { set: { n: 1 } }
    """
    And the workflow input is:
    """yaml
    { n: 0 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 0 }
    """
    And inner should not run

  Scenario: The same name in two lists
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-same-name-in-two-lists, version: '1.0.0' }
    do:
      - outer:
          do:
            - step: { set: { n: '${ .n + 1 }' } }
      - other:
          do:
            - step: { set: { n: '${ .n * 2 }' } }
    """
    And the workflow input is:
    """yaml
    { n: 1 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 4 }
    """
    And step should run 2 times
