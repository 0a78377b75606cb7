Feature: Call finally
  What is done on every way out.

  Scenario: After all went well
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: after-all-went-well, version: '1.0.0' }
    do:
      - work:
          call: finally
          with:
            do: [ { use: { set: { n: 1 } } } ]
            finally: [ { free: { set: { n: 2 } } } ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 1 }
    """
    And free should run after use

  Scenario: After a failure
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: after-a-failure, version: '1.0.0' }
    do:
      - work:
          call: finally
          with:
            do: [ { use: { raise: { error: { type: 'https://example.com/bad', status: 400 } } } } ]
            finally: [ { free: { set: { n: 2 } } } ]
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://example.com/bad' }
    """
    And free should run 1 times

  Scenario: After a cancellation
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: after-a-cancellation, version: '1.0.0' }
    do:
      - work:
          call: finally
          with:
            do: [ { use: { wait: { seconds: 30 } } } ]
            finally: [ { free: { set: { n: 2 } } } ]
    """
    When the workflow is started and waits at use
    And the workflow is cancelled
    Then the workflow should cancel
    And use should cancel
    And free should run 1 times

  Scenario: After a timeout
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: after-a-timeout, version: '1.0.0' }
    do:
      - work:
          call: finally
          with:
            do: [ { use: { wait: { seconds: 30 } } } ]
            finally: [ { free: { set: { n: 2 } } } ]
          timeout: { after: { milliseconds: 200 } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout' }
    """
    And free should run 1 times

  Scenario: What is caught still cleans up
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: what-is-caught-still-cleans-up, version: '1.0.0' }
    do:
      - work:
          call: finally
          with:
            do: [ { break: { raise: { error: { type: 'https://example.com/broken', status: 500 } } } } ]
            catch: { errors: { with: { status: 500 } }, do: [ { mend: { set: { mended: true } } } ] }
            finally: [ { clean: { set: { cleaned: true } } } ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { mended: true }
    """
    And mend should run before clean
