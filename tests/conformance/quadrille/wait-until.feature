Feature: Call wait-until
  An instant.

  Scenario: An instant that is past
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: an-instant-that-is-past, version: '1.0.0' }
    do:
      - pause: { call: wait-until, with: { at: '2020-01-01T00:00:00Z' } }
    """
    And the workflow input is:
    """yaml
    { a: 1 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { a: 1 }
    """

  Scenario: An instant that is computed
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: an-instant-that-is-computed, version: '1.0.0' }
    do:
      - pause: { call: wait-until, with: { at: '${ $workflow.startedAt.epoch.milliseconds + 300 }' } }
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow should take at least 300 ms
