Feature: Try
  Errors that are caught, and what is tried again.

  Scenario: Nothing fails
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: nothing-fails, version: '1.0.0' }
    do:
      - guard:
          try:
            - fine: { set: { n: 1 } }
          catch:
            do:
              - mend: { set: { n: 2 } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 1 }
    """
    And mend should not run

  Scenario: Every error is caught if none is named
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: every-error-is-caught-if-none-is-named, version: '1.0.0' }
    do:
      - guard:
          try:
            - fail: { raise: { error: { type: 'https://example.com/bad', status: 400 } } }
            - after: { set: { never: true } }
          catch:
            do:
              - mend: { set: { caught: '${ $error.type }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { caught: 'https://example.com/bad' }
    """
    And after should not run

  Scenario: The error has the name that the author gives
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-error-has-the-name-that-the-author-gives, version: '1.0.0' }
    do:
      - guard:
          try:
            - fail: { raise: { error: { type: 'https://example.com/bad', status: 418, title: Tea, detail: hot } } }
          catch:
            as: oops
            do:
              - mend: { set: '${ $oops }' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { type: 'https://example.com/bad', status: 418, title: Tea, detail: hot, instance: /do/0/guard/try/0/fail }
    """

  Scenario Outline: Errors are filtered by every member
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: errors-are-filtered-by-every-member, version: '1.0.0' }
    do:
      - guard:
          try:
            - fail: { raise: { error: { type: 'https://example.com/bad', status: 418, title: Tea, detail: hot } } }
          catch:
            errors: { with: <filter> }
            do:
              - mend: { set: { caught: true } }
    """
    When the workflow is executed
    Then the workflow should <end>

    Examples:
      | filter                                              | end      |
      | { type: 'https://example.com/bad' }                 | complete |
      | { type: 'https://example.com/good' }                | fault    |
      | { status: 418 }                                     | complete |
      | { status: 419 }                                     | fault    |
      | { title: Tea }                                      | complete |
      | { title: Coffee }                                   | fault    |
      | { instance: /do/0/guard/try/0/fail }                | complete |
      | { type: 'https://example.com/bad', status: 419 }    | fault    |

  Scenario Outline: A well-known type under any of its prefixes
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-well-known-type-under-any-of-its-prefixes, version: '1.0.0' }
    do:
      - guard:
          try:
            - fail: { set: { is: '${ error("no") }' } }
          catch:
            errors: { with: { type: <type> } }
            do:
              - mend: { set: { caught: true } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { caught: true }
    """

    Examples:
      | type                                                               |
      | 'https://serverlessworkflow.io/spec/1.0.0/errors/expression'       |
      | 'https://serverlessworkflow.io/dsl/errors/types/expression'        |

  Scenario: An error that is not caught goes on
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: an-error-that-is-not-caught-goes-on, version: '1.0.0' }
    do:
      - guard:
          try:
            - fail: { raise: { error: { type: 'https://example.com/bad', status: 400 } } }
          catch:
            errors: { with: { status: 500 } }
            do:
              - mend: { set: { caught: true } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://example.com/bad', instance: /do/0/guard/try/0/fail }
    """
    And mend should not run
    And guard should fault

  Scenario Outline: A condition decides what is caught
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-condition-decides-what-is-caught, version: '1.0.0' }
    do:
      - guard:
          try:
            - fail: { raise: { error: { type: 'https://example.com/bad', status: 400, detail: small } } }
          catch:
            <key>: <condition>
            do:
              - mend: { set: { caught: true } }
    """
    When the workflow is executed
    Then the workflow should <end>

    Examples:
      | key        | condition                      | end      |
      | when       | '${ $error.detail == "small" }' | complete |
      | when       | '${ $error.detail == "large" }' | fault    |
      | exceptWhen | '${ $error.detail == "small" }' | fault    |
      | exceptWhen | '${ $error.detail == "large" }' | complete |

  Scenario: Caught and nothing to do
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: caught-and-nothing-to-do, version: '1.0.0' }
    do:
      - guard:
          try:
            - fail: { raise: { error: { type: 'https://example.com/bad', status: 400 } } }
          catch: {}
      - after: { set: { n: 1 } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 1 }
    """

  Scenario: The inner of two catches is asked first
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-inner-of-two-catches-is-asked-first, version: '1.0.0' }
    do:
      - outer:
          try:
            - inner:
                try:
                  - fail: { raise: { error: { type: 'https://example.com/bad', status: 400 } } }
                catch:
                  do:
                    - near: { set: { caught: near } }
          catch:
            do:
              - far: { set: { caught: far } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { caught: near }
    """
    And far should not run

  Scenario: What the inner does not catch comes to the outer
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: what-the-inner-does-not-catch-comes-to-the-outer, version: '1.0.0' }
    do:
      - outer:
          try:
            - inner:
                try:
                  - fail: { raise: { error: { type: 'https://example.com/bad', status: 400 } } }
                catch:
                  errors: { with: { status: 500 } }
          catch:
            do:
              - far: { set: { caught: far } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { caught: far }
    """

  Scenario: An error in what mends goes on
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: an-error-in-what-mends-goes-on, version: '1.0.0' }
    do:
      - guard:
          try:
            - fail: { raise: { error: { type: 'https://example.com/first', status: 400 } } }
          catch:
            do:
              - again: { raise: { error: { type: 'https://example.com/second', status: 400 } } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://example.com/second', instance: /do/0/guard/catch/do/0/again }
    """

  Scenario: An error is raised again by its own members
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: an-error-is-raised-again-by-its-own-members, version: '1.0.0' }
    do:
      - guard:
          try:
            - fail: { raise: { error: { type: 'https://example.com/first', status: 400, title: One } } }
          catch:
            as: e
            do:
              - again: { raise: { error: { type: 'https://example.com/second', status: 409, title: '${ $e.title }', detail: '${ $e.type }' } } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://example.com/second', title: One, detail: 'https://example.com/first' }
    """

  Scenario: So many attempts, the first counted
    Given a worker that fails 'charge' with:
    """yaml
    { type: 'https://example.com/down', status: 503 }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: so-many-attempts-the-first-counted, version: '1.0.0' }
    do:
      - guard:
          try:
            - charge: { call: task, with: { name: charge } }
          catch:
            retry: { delay: { milliseconds: 1 }, limit: { attempt: { count: 3 } } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://example.com/down', status: 503 }
    """
    And the worker should have been given 'charge' 3 times
    And charge should run 3 times

  Scenario: Tried again until it is done
    Given a worker that fails 'charge' 2 times with:
    """yaml
    { type: 'https://example.com/down', status: 503 }
    """
    And a worker that answers 'charge' with:
    """yaml
    { receipt: 7 }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: tried-again-until-it-is-done, version: '1.0.0' }
    do:
      - guard:
          try:
            - charge: { call: task, with: { name: charge } }
          catch:
            retry: { delay: { milliseconds: 1 }, limit: { attempt: { count: 5 } } }
            do:
              - mend: { set: { receipt: none } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { receipt: 7 }
    """
    And the worker should have been given 'charge' 3 times
    And mend should not run

  Scenario: What mends runs when all attempts have failed
    Given a worker that fails 'charge' with:
    """yaml
    { type: 'https://example.com/down', status: 503 }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: what-mends-runs-when-all-attempts-have-failed, version: '1.0.0' }
    do:
      - guard:
          try:
            - charge: { call: task, with: { name: charge } }
          catch:
            retry: { delay: { milliseconds: 1 }, limit: { attempt: { count: 2 } } }
            do:
              - mend: { set: { caught: '${ $error.status }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { caught: 503 }
    """
    And the worker should have been given 'charge' 2 times

  Scenario: A retry tries the whole block
    Given a worker that fails 'two' 1 times with:
    """yaml
    { type: 'https://example.com/down', status: 503 }
    """
    And a worker that answers 'two' with:
    """yaml
    { done: true }
    """
    And a worker that answers 'one' with its input
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-retry-tries-the-whole-block, version: '1.0.0' }
    do:
      - guard:
          try:
            - one: { call: task, with: { name: one } }
            - two: { call: task, with: { name: two } }
          catch:
            retry: { delay: { milliseconds: 1 }, limit: { attempt: { count: 2 } } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { done: true }
    """
    And the worker should have been given 'one', 'two', 'one', 'two' in this order

  Scenario: Each attempt begins with the same data
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: each-attempt-begins-with-the-same-data, version: '1.0.0' }
    do:
      - guard:
          try:
            - add: { set: { n: '${ .n + 1 }' } }
            - fail: { raise: { error: { type: 'https://example.com/down', status: 503 } } }
          catch:
            retry: { delay: { milliseconds: 1 }, limit: { attempt: { count: 3 } } }
            do:
              - mend: { set: { n: '${ .n }' } }
    """
    And the workflow input is:
    """yaml
    { n: 1 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 1 }
    """
    And add should run 3 times
    And add should complete with output:
    """yaml
    { n: 2 }
    """

  Scenario: An error that is not caught is not tried again
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: an-error-that-is-not-caught-is-not-tried-again, version: '1.0.0' }
    do:
      - guard:
          try:
            - fail: { raise: { error: { type: 'https://example.com/bad', status: 400 } } }
          catch:
            errors: { with: { status: 503 } }
            retry: { delay: { milliseconds: 1 }, limit: { attempt: { count: 5 } } }
    """
    When the workflow is executed
    Then the workflow should fault
    And fail should run 1 times

  Scenario Outline: A condition decides what is tried again
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-condition-decides-what-is-tried-again, version: '1.0.0' }
    do:
      - guard:
          try:
            - fail: { raise: { error: { type: 'https://example.com/bad', status: 400, detail: small } } }
          catch:
            retry: { <key>: <condition>, delay: { milliseconds: 1 }, limit: { attempt: { count: 3 } } }
            do:
              - mend: { set: { caught: true } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { caught: true }
    """
    And fail should run <count> times

    Examples:
      | key        | condition                      | count |
      | when       | '${ $error.detail == "small" }' | 3     |
      | when       | '${ $error.detail == "large" }' | 1     |
      | exceptWhen | '${ $error.detail == "small" }' | 1     |
      | exceptWhen | '${ $error.detail == "large" }' | 3     |

  Scenario Outline: Delays between attempts
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: delays-between-attempts, version: '1.0.0' }
    do:
      - guard:
          try:
            - fail: { raise: { error: { type: 'https://example.com/bad', status: 400 } } }
          catch:
            retry: { delay: { milliseconds: 100 }, <backoff> limit: { attempt: { count: 4 } } }
    """
    When the workflow is executed
    Then the workflow should fault
    And the workflow should take at least <least> ms
    And the workflow should take less than <most> ms

    Examples:
      | backoff                          | least | most |
      |                                  | 300   | 2000 |
      | backoff: { constant: {} },       | 300   | 2000 |

  Scenario: Delays that grow by themselves
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: delays-that-grow-by-themselves, version: '1.0.0' }
    do:
      - guard:
          try:
            - fail: { raise: { error: { type: 'https://example.com/bad', status: 400 } } }
          catch:
            retry: { delay: { milliseconds: 100 }, backoff: { linear: {} }, limit: { attempt: { count: 4 } } }
    """
    When the workflow is executed
    Then the workflow should fault
    And the workflow should take at least 600 ms

  Scenario: Delays that double
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: delays-that-double, version: '1.0.0' }
    do:
      - guard:
          try:
            - fail: { raise: { error: { type: 'https://example.com/bad', status: 400 } } }
          catch:
            retry: { delay: { milliseconds: 100 }, backoff: { exponential: {} }, limit: { attempt: { count: 4 } } }
    """
    When the workflow is executed
    Then the workflow should fault
    And the workflow should take at least 700 ms

  Scenario: A policy by its name
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-policy-by-its-name, version: '1.0.0' }
    use:
      retries:
        twice: { delay: { milliseconds: 1 }, limit: { attempt: { count: 2 } } }
    do:
      - guard:
          try:
            - fail: { raise: { error: { type: 'https://example.com/bad', status: 400 } } }
          catch:
            retry: twice
    """
    When the workflow is executed
    Then the workflow should fault
    And fail should run 2 times

  Scenario: An end to all attempts
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: an-end-to-all-attempts, version: '1.0.0' }
    do:
      - guard:
          try:
            - fail: { raise: { error: { type: 'https://example.com/bad', status: 400 } } }
          catch:
            retry: { delay: { milliseconds: 50 }, limit: { duration: { milliseconds: 300 } } }
            do:
              - mend: { set: { caught: true } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { caught: true }
    """
    And the workflow should take less than 3000 ms

  Scenario: Jitter adds to the delay
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: jitter-adds-to-the-delay, version: '1.0.0' }
    do:
      - guard:
          try:
            - fail: { raise: { error: { type: 'https://example.com/bad', status: 400 } } }
          catch:
            retry: { delay: { milliseconds: 10 }, jitter: { from: { milliseconds: 200 }, to: { milliseconds: 300 } }, limit: { attempt: { count: 2 } } }
    """
    When the workflow is executed
    Then the workflow should fault
    And the workflow should take at least 210 ms
    And the workflow should take less than 3000 ms

  Scenario: Where to go after something was caught
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: where-to-go-after-something-was-caught, version: '1.0.0' }
    do:
      - start: { switch: [ { other: { when: .other, then: skipped } } ] }
      - guard:
          try:
            - fail: { raise: { error: { type: 'https://example.com/bad', status: 400 } } }
          catch:
            do:
              - mend: { set: { caught: true } }
          then: last
      - skipped: { set: { caught: false } }
      - last: { set: { caught: '${ .caught }', last: true } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { caught: true, last: true }
    """
    And skipped should not run

  Scenario: By its detail, and on to another task
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: by-its-detail-and-on-to-another-task, version: '1.0.0' }
    do:
      - attempt:
          try: [ { break: { raise: { error: { type: 'https://example.com/broken', status: 500, detail: the pipe burst } } } } ]
          catch: { errors: { with: { detail: the pipe burst } }, then: after }
      - between: { set: { passed: between } }
      - after: { set: { passed: after } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { passed: after }
    """
    And between should not run
