Feature: Schedule
  Runs that start by themselves.

  Scenario: At intervals
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: at-intervals, version: '1.0.0' }
    schedule: { every: { seconds: 1 } }
    do:
      - work: { set: { n: 1 } }
    """
    When the workflow is applied
    Then at least 1 runs should complete

  Scenario: By a cron expression with seconds
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: by-a-cron-expression-with-seconds, version: '1.0.0' }
    schedule: { cron: '* * * * * *' }
    do:
      - work: { set: { n: 1 } }
    """
    When the workflow is applied
    Then at least 1 runs should complete

  Scenario Outline: A schedule that makes no sense
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-schedule-that-makes-no-sense, version: '1.0.0' }
    schedule: <schedule>
    do:
      - work: { set: { n: 1 } }
    """
    When the workflow is checked
    Then the check should find '<code>' in line 2

    Examples:
      | schedule                            | code         |
      | { cron: '61 * * * *' }              | bad-cron     |
      | { cron: '0 0 30 2 *' }              | bad-cron     |
      | { every: PT }                       | bad-duration |
      | { every: PT0.2S }                   | bad-duration |
