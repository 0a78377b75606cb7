Feature: Flow directives
  Where a run goes after a task.

  Scenario: A name of the same list
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-name-of-the-same-list, version: '1.0.0' }
    do:
      - one: { set: { list: [ one ] }, then: three }
      - two: { set: { list: '${ .list + ["two"] }' }, then: end }
      - three: { set: { list: '${ .list + ["three"] }' }, then: two }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { list: [ one, three, two ] }
    """

  Scenario: Exit ends its list
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: exit-ends-its-list, version: '1.0.0' }
    do:
      - outer:
          do:
            - leave: { set: { n: 1 }, then: exit }
          then: last
      - skipped: { set: { n: 2 } }
      - last: { set: { n: '${ .n }', last: true } }
    """
    When the workflow is checked
    Then the check should find 'unsound' in line 7

  Scenario: Exit at the top ends the workflow
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: exit-at-the-top-ends-the-workflow, version: '1.0.0' }
    do:
      - choose:
          switch:
            - leave: { when: '.n == 1', then: exit }
      - last: { set: { n: 2 } }
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

  Scenario: End ends the workflow from any depth
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: end-ends-the-workflow-from-any-depth, version: '1.0.0' }
    do:
      - outer:
          do:
            - inner:
                do:
                  - stop: { set: { n: 1 }, then: end }
      - last: { set: { n: 2 } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 1 }
    """
    And last should not run

  Scenario: End still transforms the output of the workflow
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: end-still-transforms-the-output-of-the-workflow, version: '1.0.0' }
    output: { as: '${ { was: .n } }' }
    do:
      - stop: { set: { n: 1 }, then: end }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { was: 1 }
    """

  Scenario: End in a round ends the workflow
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: end-in-a-round-ends-the-workflow, version: '1.0.0' }
    do:
      - rounds:
          for: { each: n, in: '${ [1, 2, 3] }' }
          do:
            - choose:
                switch:
                  - stop: { when: '$n == 2', then: end }
            - add: { set: { sum: '${ .sum + $n }' } }
      - last: { set: { n: 2 } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { sum: 1 }
    """
    And last should not run

  Scenario: Exit in a round ends the round
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: exit-in-a-round-ends-the-round, version: '1.0.0' }
    do:
      - rounds:
          for: { each: n, in: '${ [1, 2, 3] }' }
          do:
            - choose:
                switch:
                  - leave: { when: '$n == 2', then: exit }
            - add: { set: { sum: '${ .sum + $n }' } }
      - last: { set: { sum: '${ .sum }', last: true } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { sum: 4, last: true }
    """

  Scenario: Continue goes on
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: continue-goes-on, version: '1.0.0' }
    do:
      - one: { set: { n: 1 }, then: continue }
      - two: { set: { n: '${ .n + 1 }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 2 }
    """

  Scenario: A skipped task goes on with the next one whatever it says
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-skipped-task-goes-on-with-the-next-one-whatever-it-says, version: '1.0.0' }
    do:
      - one: { if: '${ false }', set: { n: 9 }, then: three }
      - two: { set: { n: 2 }, then: end }
      - three: { set: { n: 3 } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 2 }
    """

  Scenario: A loop made of names
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-loop-made-of-names, version: '1.0.0' }
    do:
      - add: { set: { n: '${ .n + 1 }' } }
      - test: { switch: [ { enough: { when: '.n >= 5', then: end } } ] }
      - back: { set: '${ . }', then: add }
    """
    And the workflow input is:
    """yaml
    { n: 0 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 5 }
    """
    And back should run 4 times
