Feature: Fork
  Branches side by side.

  Scenario: Outputs in the order of the branches
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: outputs-in-the-order-of-the-branches, version: '1.0.0' }
    do:
      - both:
          fork:
            branches:
              - slow: { do: [ { pause: { wait: { milliseconds: 50 } } }, { one: { set: { n: 1 } } } ] }
              - fast: { set: { n: 2 } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    [ { n: 1 }, { n: 2 } ]
    """
    And slow should run before fast

  Scenario: Each branch gets the same input
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: each-branch-gets-the-same-input, version: '1.0.0' }
    do:
      - both:
          input: { from: .a }
          fork:
            branches:
              - one: { set: { got: '${ . + 1 }' } }
              - two: { set: { got: '${ . + 2 }' } }
    """
    And the workflow input is:
    """yaml
    { a: 10 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    [ { got: 11 }, { got: 12 } ]
    """

  Scenario: Branches wait at the same time
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: branches-wait-at-the-same-time, version: '1.0.0' }
    do:
      - both:
          fork:
            branches:
              - one: { wait: { milliseconds: 400 } }
              - two: { wait: { milliseconds: 400 } }
              - three: { wait: { milliseconds: 400 } }
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow should take at least 400 ms
    And the workflow should take less than 1100 ms

  Scenario: One branch
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: one-branch, version: '1.0.0' }
    do:
      - only:
          fork: { branches: [ { one: { set: { n: 1 } } } ] }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    [ { n: 1 } ]
    """

  Scenario: A branch that is skipped gives its input
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-branch-that-is-skipped-gives-its-input, version: '1.0.0' }
    do:
      - both:
          fork:
            branches:
              - one: { if: '${ false }', set: { n: 1 } }
              - two: { set: { n: 2 } }
    """
    And the workflow input is:
    """yaml
    { n: 0 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    [ { n: 0 }, { n: 2 } ]
    """

  Scenario: The first to end wins
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-first-to-end-wins, version: '1.0.0' }
    do:
      - race:
          fork:
            compete: true
            branches:
              - slow: { wait: { seconds: 20 } }
              - fast: { set: { winner: fast } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { winner: fast }
    """
    And slow should cancel
    And the workflow should take less than 5000 ms

  Scenario: A loser that fails does not decide
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-loser-that-fails-does-not-decide, version: '1.0.0' }
    do:
      - race:
          fork:
            compete: true
            branches:
              - broken: { raise: { error: { type: 'https://example.com/broken', status: 500 } } }
              - well: { do: [ { pause: { wait: { milliseconds: 50 } } }, { one: { set: { winner: well } } } ] }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { winner: well }
    """

  Scenario: A race that all lose
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-race-that-all-lose, version: '1.0.0' }
    do:
      - race:
          fork:
            compete: true
            branches:
              - one: { raise: { error: { type: 'https://example.com/one', status: 500 } } }
              - two: { raise: { error: { type: 'https://example.com/two', status: 500 } } }
    """
    When the workflow is executed
    Then the workflow should fault

  Scenario: A branch that fails ends the others
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-branch-that-fails-ends-the-others, version: '1.0.0' }
    do:
      - both:
          fork:
            branches:
              - slow: { wait: { seconds: 20 } }
              - broken: { raise: { error: { type: 'https://example.com/broken', status: 500 } } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://example.com/broken', instance: /do/0/both/fork/branches/1/broken }
    """
    And slow should cancel
    And the workflow should take less than 5000 ms

  Scenario: A failure of a branch can be caught
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-failure-of-a-branch-can-be-caught, version: '1.0.0' }
    do:
      - guard:
          try:
            - both:
                fork:
                  branches:
                    - fine: { set: { n: 1 } }
                    - broken: { raise: { error: { type: 'https://example.com/broken', status: 500 } } }
          catch:
            do:
              - mend: { set: { type: '${ $error.type }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { type: 'https://example.com/broken' }
    """

  Scenario: End in a branch ends the workflow
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: end-in-a-branch-ends-the-workflow, version: '1.0.0' }
    do:
      - both:
          fork:
            branches:
              - stop: { do: [ { halt: { set: { n: 1 }, then: end } } ] }
              - slow: { wait: { seconds: 20 } }
      - after: { set: { after: true } }
    """
    When the workflow is executed
    Then the workflow should complete
    And after should not run
    And slow should cancel

  Scenario: Context that a branch exports is known after
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: context-that-a-branch-exports-is-known-after, version: '1.0.0' }
    do:
      - both:
          fork:
            branches:
              - one: { set: { n: 1 }, export: { as: '${ { from: "one" } }' } }
              - two: { set: { n: 2 } }
      - after: { set: '${ $context }' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { from: one }
    """

  Scenario: Forks in forks
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: forks-in-forks, version: '1.0.0' }
    do:
      - outer:
          fork:
            branches:
              - inner: { fork: { branches: [ { a: { set: { n: 1 } } }, { b: { set: { n: 2 } } } ] } }
              - c: { set: { n: 3 } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    [ [ { n: 1 }, { n: 2 } ], { n: 3 } ]
    """

  Scenario: Output of a fork is transformed
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: output-of-a-fork-is-transformed, version: '1.0.0' }
    do:
      - both:
          fork: { branches: [ { a: { set: { n: 1 } } }, { b: { set: { n: 2 } } } ] }
          output: { as: 'map(.n) | add' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    3
    """
