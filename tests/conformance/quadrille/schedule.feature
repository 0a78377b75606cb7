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

  Scenario: A while after the end of the run before
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-while-after-the-end, version: '1.0.0' }
    schedule: { after: { seconds: 1 } }
    do:
      - work: { set: { n: 1 } }
    """
    When the workflow is applied
    Then at least 2 runs should complete

  Scenario: On an event, with its data
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: on-an-event-with-its-data, version: '1.0.0' }
    schedule: { on: { one: { with: { type: order } } }, read: data }
    do:
      - doubt: { if: '${ .[0].n != 1 }', raise: { error: { type: 'https://example.com/other', status: 400 } } }
    """
    When the workflow is applied
    And the event is published:
    """yaml
    { type: order, data: { n: 1 } }
    """
    Then at least 1 runs should complete

  Scenario: Within a window, in a time zone
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: within-a-window-in-a-time-zone
      version: '1.0.0'
      metadata:
        'dev.quadrille/schedule': { timezone: Europe/Berlin, from: '2020-01-01T00:00:00Z', until: '2999-01-01T00:00:00Z', overlap: allow, catchUp: one }
    schedule: { cron: '* * * * * *' }
    do:
      - work: { set: { n: 1 } }
    """
    When the workflow is applied
    Then at least 1 runs should complete
