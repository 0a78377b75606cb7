Feature: Run workflow
  Workflows that start others.

  Scenario: The output of the other is the output of the task
    Given another workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: child, version: '1.0.0' }
    do:
      - double: { set: { n: '${ .n * 2 }' } }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-output-of-the-other-is-the-output-of-the-task, version: '1.0.0' }
    do:
      - ask: { run: { workflow: { namespace: default, name: child, version: '1.0.0', input: { n: '${ .a }' } } } }
    """
    And the workflow input is:
    """yaml
    { a: 21 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 42 }
    """

  Scenario: The newest version
    Given another workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: child, version: '1.0.0' }
    do:
      - double: { set: { n: 1 } }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-newest-version, version: '1.0.0' }
    do:
      - ask: { run: { workflow: { namespace: default, name: child, version: latest } } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 1 }
    """

  Scenario: A failure of the other can be caught
    Given another workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: child, version: '1.0.0' }
    do:
      - fail: { raise: { error: { type: 'https://example.com/bad', status: 418 } } }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-failure-of-the-other-can-be-caught, version: '1.0.0' }
    do:
      - guard:
          try:
            - ask: { run: { workflow: { namespace: default, name: child, version: '1.0.0' } } }
          catch:
            do:
              - mend: { set: { type: '${ $error.type }', status: '${ $error.status }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { type: 'https://example.com/bad', status: 418 }
    """

  Scenario: Not waited for
    Given another workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: child, version: '1.0.0' }
    do:
      - pause: { wait: { seconds: 30 } }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: not-waited-for, version: '1.0.0' }
    do:
      - ask: { run: { workflow: { namespace: default, name: child, version: '1.0.0' }, await: false } }
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
    And the workflow should take less than 5000 ms

  Scenario: The other hears that its parent is cancelled
    Given another workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: child, version: '1.0.0' }
    do:
      - guard:
          call: finally
          with:
            do: [ { pause: { wait: { seconds: 30 } } } ]
            finally: [ { free: { call: task, with: { name: free } } } ]
    """
    And a worker that answers 'free' with its input
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-other-hears-that-its-parent-is-cancelled, version: '1.0.0' }
    do:
      - ask: { run: { workflow: { namespace: default, name: child, version: '1.0.0' } } }
    """
    When the workflow is started and waits at ask
    And the workflow is cancelled
    Then the workflow should cancel
    And the worker should have been given 'free' 1 times

  Scenario: A workflow that is not there
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-workflow-that-is-not-there, version: '1.0.0' }
    do:
      - ask: { run: { workflow: { namespace: default, name: nobody, version: '1.0.0' } } }
    """
    When the workflow is executed
    Then the workflow should fault
    And ask should fault
