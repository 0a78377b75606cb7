Feature: Call task
  Work that a worker does. An addition of this project: functions of the default catalogue.

  Scenario: The input of the task and its output
    Given a worker that answers 'charge' with:
    """yaml
    { receipt: r-1 }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-input-of-the-task-and-its-output, version: '1.0.0' }
    do:
      - pay: { call: task, with: { name: charge, input: { card: '${ .card }', amount: '${ .total }' } } }
    """
    And the workflow input is:
    """yaml
    { card: visa, total: 12, noise: true }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { receipt: r-1 }
    """
    And the worker should have been given 'charge' with:
    """yaml
    { card: visa, amount: 12 }
    """

  Scenario: Without an input the task gets the data
    Given a worker that answers 'echo' with its input
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: without-an-input-the-task-gets-the-data, version: '1.0.0' }
    do:
      - ask: { call: task, with: { name: echo } }
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

  Scenario: The full name of the function
    Given a worker that answers 'echo' with its input
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-full-name-of-the-function, version: '1.0.0' }
    do:
      - ask: { call: 'task:1.0.0@default', with: { name: echo } }
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

  Scenario: A queue by its name, and a name that is computed
    Given a worker that answers 'charge-visa' with:
    """yaml
    1
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-queue-by-its-name-and-a-name-that-is-computed, version: '1.0.0' }
    do:
      - ask: { call: task, with: { queue: payments, name: '${ "charge-\(.card)" }' } }
    """
    And the workflow input is:
    """yaml
    { card: visa }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    1
    """

  Scenario: A failure of the worker is an error of the task
    Given a worker that fails 'charge' with:
    """yaml
    { type: 'https://example.com/declined', status: 402, title: Declined, detail: no money, retryable: false }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-failure-of-the-worker-is-an-error-of-the-task, version: '1.0.0' }
    do:
      - pay: { call: task, with: { name: charge } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://example.com/declined', status: 402, title: Declined, detail: no money, instance: /do/0/pay }
    """

  Scenario: A task has retries of its own
    Given a worker that fails 'charge' 2 times with:
    """yaml
    { type: 'https://example.com/down', status: 503 }
    """
    And a worker that answers 'charge' with:
    """yaml
    { receipt: r-1 }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-task-has-retries-of-its-own, version: '1.0.0' }
    do:
      - pay: { call: task, with: { name: charge, retry: { delay: { milliseconds: 1 }, limit: { attempt: { count: 3 } } } } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { receipt: r-1 }
    """
    And the worker should have been given 'charge' 3 times
    And pay should run 1 times

  Scenario: A failure that the worker calls final is not tried again
    Given a worker that fails 'charge' with:
    """yaml
    { type: 'https://example.com/declined', status: 402, retryable: false }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-failure-that-the-worker-calls-final-is-not-tried-again, version: '1.0.0' }
    do:
      - pay: { call: task, with: { name: charge, retry: { delay: { milliseconds: 1 }, limit: { attempt: { count: 3 } } } } }
    """
    When the workflow is executed
    Then the workflow should fault
    And the worker should have been given 'charge' 1 times

  Scenario: A failure that the author calls final is not tried again
    Given a worker that fails 'charge' with:
    """yaml
    { type: 'https://example.com/declined', status: 402 }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-failure-that-the-author-calls-final-is-not-tried-again, version: '1.0.0' }
    do:
      - pay:
          call: task
          with:
            name: charge
            retry: { delay: { milliseconds: 1 }, limit: { attempt: { count: 3 } }, nonRetryable: [ 'https://example.com/declined' ] }
    """
    When the workflow is executed
    Then the workflow should fault
    And the worker should have been given 'charge' 1 times

  Scenario: A task that waits for a person when its retries have run out
    Given a worker that fails 'charge' 2 times with:
    """yaml
    { type: 'https://example.com/down', status: 503 }
    """
    And a worker that answers 'charge' with:
    """yaml
    { receipt: r-1 }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-task-that-waits-for-a-person-when-its-retries-have-run-out, version: '1.0.0' }
    do:
      - pay: { call: task, with: { name: charge, exhausted: park, retry: { delay: { milliseconds: 1 }, limit: { attempt: { count: 2 } } } } }
    """
    When the workflow is started
    Then the workflow should stand as 'incident'
    When the parked tasks are tried again
    Then the workflow should complete with output:
    """yaml
    { receipt: r-1 }
    """
    And the worker should have been given 'charge' 3 times

  Scenario: A task that takes too long
    Given a worker that never answers 'slow'
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-task-that-takes-too-long, version: '1.0.0' }
    do:
      - ask: { call: task, with: { name: slow, timeouts: { run: { milliseconds: 200 } } } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout' }
    """
    And the workflow should take less than 10000 ms

  Scenario: A task that nobody takes
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-task-that-nobody-takes, version: '1.0.0' }
    do:
      - ask: { call: task, with: { queue: nobody, name: slow, timeouts: { queue: { milliseconds: 200 } } } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout' }
    """
    And the workflow should take less than 10000 ms

  Scenario: A task that was done is not done again after a crash
    Given a worker that answers 'charge' with:
    """yaml
    { receipt: r-1 }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-task-that-was-done-is-not-done-again-after-a-crash, version: '1.0.0' }
    do:
      - pay: { call: task, with: { name: charge } }
      - pause: { wait: { milliseconds: 800 } }
    """
    When the workflow is started and waits at pause
    And the runtime crashes and starts again
    Then the workflow should complete with output:
    """yaml
    { receipt: r-1 }
    """
    And the worker should have been given 'charge' 1 times

  Scenario: Again only when it makes sense
    Given a worker that fails 'charge' 2 times with:
    """yaml
    { type: 'https://example.com/busy', status: 503 }
    """
    And a worker that answers 'charge' with:
    """yaml
    { paid: true }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: again-only-when-it-makes-sense, version: '1.0.0' }
    do:
      - charge:
          call: task
          with:
            name: charge
            retry: { when: '${ $error.status == 503 }', delay: { milliseconds: 1 }, backoff: { constant: {} }, jitter: { from: { milliseconds: 0 }, to: { milliseconds: 1 } }, maxDelay: { milliseconds: 5 }, limit: { attempt: { count: 5 } } }
    """
    When the workflow is executed
    Then the workflow should complete
    And the worker should have been given 'charge' 3 times

  Scenario: Not again when that makes no sense
    Given a worker that fails 'charge' with:
    """yaml
    { type: 'https://example.com/declined', status: 402 }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: not-again-when-that-makes-no-sense, version: '1.0.0' }
    do:
      - charge:
          call: task
          with:
            name: charge
            retry: { exceptWhen: '${ $error.status == 402 }', delay: { milliseconds: 1 }, limit: { attempt: { count: 5 } } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { status: 402 }
    """
    And the worker should have been given 'charge' 1 times
