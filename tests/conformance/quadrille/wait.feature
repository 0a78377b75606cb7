Feature: Wait
  Time that passes.

  Scenario Outline: Durations
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: durations, version: '1.0.0' }
    do:
      - pause: { wait: <duration> }
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
    And the workflow should take at least 200 ms
    And the workflow should take less than 3000 ms

    Examples:
      | duration                                              |
      | { milliseconds: 200 }                                 |
      | PT0.2S                                                |
      | { seconds: 0, milliseconds: 200 }                     |
      | '${ "PT0.2S" }'                                       |

  Scenario: A run that waits says so
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-run-that-waits-says-so, version: '1.0.0' }
    do:
      - pause: { wait: { seconds: 30 } }
    """
    When the workflow is started and waits at pause
    Then the workflow should stand as 'waiting'

  Scenario: Waiting survives a crash
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: waiting-survives-a-crash, version: '1.0.0' }
    do:
      - before: { set: { n: 1 } }
      - pause: { wait: { seconds: 1 } }
      - after: { set: { n: '${ .n + 1 }' } }
    """
    When the workflow is started and waits at pause
    And the runtime crashes and starts again
    Then the workflow should complete with output:
    """yaml
    { n: 2 }
    """
    And the workflow should take at least 1000 ms
    And before should run 1 times

  Scenario: A wait that is skipped
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-wait-that-is-skipped, version: '1.0.0' }
    do:
      - pause: { if: '${ false }', wait: { seconds: 30 } }
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow should take less than 5000 ms

  Scenario: Every unit of a duration
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: every-unit-of-a-duration, version: '1.0.0' }
    do:
      - pause: { wait: { weeks: 0, days: 0, hours: 0, minutes: 0, seconds: 0, milliseconds: 20 } }
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow should take at least 20 ms
