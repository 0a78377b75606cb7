Feature: Life of a run
  What people do with a run, and what a crash does.

  Scenario: Cancelled while it waits
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: cancelled-while-it-waits, version: '1.0.0' }
    do:
      - pause: { wait: { seconds: 30 } }
      - after: { set: { n: 1 } }
    """
    When the workflow is started and waits at pause
    And the workflow is cancelled
    Then the workflow should cancel
    And pause should cancel
    And after should not run

  Scenario: Terminated while it waits
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: terminated-while-it-waits, version: '1.0.0' }
    do:
      - pause: { wait: { seconds: 30 } }
    """
    When the workflow is started and waits at pause
    And the workflow is terminated
    Then the workflow should terminate

  Scenario: A catch does not keep a run from being cancelled
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-catch-does-not-keep-a-run-from-being-cancelled, version: '1.0.0' }
    do:
      - guard:
          try:
            - pause: { wait: { seconds: 30 } }
          catch:
            do:
              - mend: { set: { n: 1 } }
    """
    When the workflow is started and waits at pause
    And the workflow is cancelled
    Then the workflow should cancel
    And mend should not run

  Scenario: Suspended and resumed
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: suspended-and-resumed, version: '1.0.0' }
    do:
      - decision: { listen: { to: { one: { with: { type: go } } } } }
      - after: { set: { n: 1 } }
    """
    When the workflow is started and waits at decision
    And the workflow is suspended
    And the signal 'go' is sent
    Then the workflow should stand as 'suspended'
    When the workflow is resumed
    Then the workflow should complete with output:
    """yaml
    { n: 1 }
    """

  Scenario: Suspended over a crash
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: suspended-over-a-crash, version: '1.0.0' }
    do:
      - decision: { listen: { to: { one: { with: { type: go } } } } }
    """
    When the workflow is started and waits at decision
    And the workflow is suspended
    And the runtime crashes and starts again
    Then the workflow should stand as 'suspended'
    When the workflow is resumed
    And the signal 'go' is sent with data:
    """yaml
    1
    """
    Then the workflow should complete with output:
    """yaml
    [ 1 ]
    """

  Scenario: Cancelled while suspended
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: cancelled-while-suspended, version: '1.0.0' }
    do:
      - pause: { wait: { seconds: 30 } }
    """
    When the workflow is started and waits at pause
    And the workflow is suspended
    And the workflow is cancelled
    Then the workflow should cancel

  Scenario: Data and context survive a crash
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: data-and-context-survive-a-crash, version: '1.0.0' }
    output: { as: '${ { data: ., context: $context } }' }
    do:
      - one: { set: { a: 1 }, export: { as: '${ { b: 2 } }' } }
      - pause: { wait: { milliseconds: 800 } }
    """
    When the workflow is started and waits at pause
    And the runtime crashes and starts again
    Then the workflow should complete with output:
    """yaml
    { data: { a: 1 }, context: { b: 2 } }
    """

  Scenario: Rounds survive a crash
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: rounds-survive-a-crash, version: '1.0.0' }
    do:
      - rounds:
          for: { each: n, in: '${ [1, 2, 3] }' }
          do:
            - add: { set: { sum: '${ .sum + $n }' } }
            - pause: { wait: { milliseconds: 300 } }
    """
    When the workflow is started and waits at pause
    And the runtime crashes and starts again
    Then the workflow should complete with output:
    """yaml
    { sum: 6 }
    """
    And add should run 3 times

  Scenario: Branches survive a crash
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: branches-survive-a-crash, version: '1.0.0' }
    do:
      - both:
          fork:
            branches:
              - one: { do: [ { hear: { listen: { to: { one: { with: { type: go } } } } } } ] }
              - two: { set: { n: 2 } }
    """
    When the workflow is started and waits at hear
    And the runtime crashes and starts again
    And the signal 'go' is sent with data:
    """yaml
    1
    """
    Then the workflow should complete with output:
    """yaml
    [ [ 1 ], { n: 2 } ]
    """
    And two should run 1 times
