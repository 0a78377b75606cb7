Feature: Call child
  Another run, chosen while running.

  Scenario: The workflow is computed
    Given another workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: double, version: '1.0.0' }
    do:
      - work: { set: { n: '${ .n * 2 }' } }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-workflow-is-computed, version: '1.0.0' }
    do:
      - ask: { call: child, with: { workflow: '${ .which }', input: { n: 21 } } }
    """
    And the workflow input is:
    """yaml
    { which: double }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 42 }
    """

  Scenario: Left to itself it gives its id
    Given another workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: other, version: '1.0.0' }
    do:
      - work: { set: { n: 1 } }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: left-to-itself-it-gives-its-id, version: '1.0.0' }
    do:
      - ask: { call: child, with: { workflow: other, await: false } }
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow output should have properties 'id'

  Scenario: A child left to itself echoes the input
    Given another workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: leg, version: '1.0.0' }
    do:
      - go: { set: { gone: true } }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-child-left-to-itself-echoes-the-input, version: '1.0.0' }
    do:
      - begin: { call: child, with: { workflow: leg, version: '1.0.0', key: leg-1, await: false, echo: true } }
    """
    And the workflow input is:
    """yaml
    { from: here }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { from: here }
    """
    And at least 2 runs should complete
