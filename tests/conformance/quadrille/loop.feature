Feature: Call loop
  Again, on a condition.

  Scenario: Until is asked after each round
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: until-is-asked-after-each-round, version: '1.0.0' }
    do:
      - count: { call: loop, with: { until: .n >= 3, do: [ { add: { set: { n: '${ .n + 1 }' } } } ] } }
    """
    And the workflow input is:
    """yaml
    { n: 5 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 6 }
    """

  Scenario: While is asked before each round
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: while-is-asked-before-each-round, version: '1.0.0' }
    do:
      - count: { call: loop, with: { while: .n < 3, do: [ { add: { set: { n: '${ .n + 1 }' } } } ] } }
    """
    And the workflow input is:
    """yaml
    { n: 0 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 3 }
    """
    And add should run 3 times

  Scenario: While that never holds
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: while-that-never-holds, version: '1.0.0' }
    do:
      - count: { call: loop, with: { while: '${ false }', do: [ { add: { set: { n: 1 } } } ] } }
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
    And add should not run

  Scenario: More rounds than allowed
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: more-rounds-than-allowed, version: '1.0.0' }
    do:
      - count: { call: loop, with: { until: '${ false }', max: 3, do: [ { add: { set: { n: '${ .n + 1 }' } } } ] } }
    """
    And the workflow input is:
    """yaml
    { n: 0 }
    """
    When the workflow is executed
    Then the workflow should fault
    And add should run 3 times
