Feature: Timeouts
  Work that takes too long.

  Scenario: A task
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-task, version: '1.0.0' }
    do:
      - slow: { wait: { seconds: 20 }, timeout: { after: { milliseconds: 200 } } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout', status: 408, instance: /do/0/slow }
    """
    And the workflow should take at least 200 ms
    And the workflow should take less than 5000 ms

  Scenario: A task that is in time
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-task-that-is-in-time, version: '1.0.0' }
    do:
      - fast: { wait: { milliseconds: 50 }, timeout: { after: { seconds: 20 } } }
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

  Scenario: By its name
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: by-its-name, version: '1.0.0' }
    use: { timeouts: { short: { after: { milliseconds: 100 } } } }
    do:
      - slow: { wait: { seconds: 20 }, timeout: short }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout' }
    """

  Scenario: A whole list
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-whole-list, version: '1.0.0' }
    do:
      - slow:
          do:
            - one: { wait: { milliseconds: 20 } }
            - two: { wait: { seconds: 20 } }
          timeout: { after: { milliseconds: 300 } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout', instance: /do/0/slow }
    """
    And two should cancel

  Scenario: The whole workflow
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-whole-workflow, version: '1.0.0' }
    timeout: { after: { milliseconds: 300 } }
    do:
      - slow: { wait: { seconds: 20 } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout', status: 408 }
    """
    And the workflow should take less than 5000 ms

  Scenario: A timeout is caught like any error
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-timeout-is-caught-like-any-error, version: '1.0.0' }
    do:
      - guard:
          try:
            - slow: { wait: { seconds: 20 }, timeout: { after: { milliseconds: 100 } } }
          catch:
            errors: { with: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout' } }
            do:
              - mend: { set: { late: true } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { late: true }
    """

  Scenario: How long is computed
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: how-long-is-computed, version: '1.0.0' }
    do:
      - slow: { wait: { seconds: 20 }, timeout: { after: '${ .patience }' } }
    """
    And the workflow input is:
    """yaml
    { patience: PT0.1S }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout' }
    """

  Scenario: A timeout survives a crash
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-timeout-survives-a-crash, version: '1.0.0' }
    do:
      - slow: { wait: { seconds: 30 }, timeout: { after: { seconds: 1 } } }
    """
    When the workflow is started and waits at slow
    And the runtime crashes and starts again
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout' }
    """
