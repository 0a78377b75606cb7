Feature: For
  One round for each item, one after the other.

  Scenario: Item and index have names by default
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: item-and-index-have-names-by-default, version: '1.0.0' }
    do:
      - rounds:
          for: { in: '${ ["a", "b"] }' }
          do:
            - add: { set: { list: '${ .list + ["\($index)\($item)"] }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { list: [ 0a, 1b ] }
    """

  Scenario: Item and index have the names that the author gives
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: item-and-index-have-the-names-that-the-author-gives, version: '1.0.0' }
    do:
      - rounds:
          for: { each: colour, at: place, in: .colours }
          do:
            - add: { set: { colours: '${ .colours }', list: '${ .list + ["\($place)\($colour)"] }' } }
    """
    And the workflow input is:
    """yaml
    { colours: [ red, blue ] }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { colours: [ red, blue ], list: [ 0red, 1blue ] }
    """

  Scenario: Each round gets what the one before gave
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: each-round-gets-what-the-one-before-gave, version: '1.0.0' }
    do:
      - rounds:
          for: { each: n, in: '${ [1, 2, 3] }' }
          do:
            - add: { set: '${ . + $n }' }
    """
    And the workflow input is:
    """yaml
    10
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    16
    """

  Scenario: No items, no rounds
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: no-items-no-rounds, version: '1.0.0' }
    do:
      - rounds:
          for: { in: '${ [] }' }
          do:
            - add: { set: { never: true } }
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
    And add should not run

  Scenario: The list is read once
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-list-is-read-once, version: '1.0.0' }
    do:
      - rounds:
          for: { each: n, in: .list }
          do:
            - grow: { set: { list: '${ .list + [$n] }' } }
    """
    And the workflow input is:
    """yaml
    { list: [ 1, 2 ] }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { list: [ 1, 2, 1, 2 ] }
    """
    And grow should run 2 times

  Scenario: While is asked before each round
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: while-is-asked-before-each-round, version: '1.0.0' }
    do:
      - rounds:
          for: { each: n, in: '${ [1, 2, 3, 4] }' }
          while: .sum < 3
          do:
            - add: { set: { sum: '${ .sum + $n }' } }
    """
    And the workflow input is:
    """yaml
    { sum: 0 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { sum: 3 }
    """
    And add should run 2 times

  Scenario: While that never holds
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: while-that-never-holds, version: '1.0.0' }
    do:
      - rounds:
          for: { each: n, in: '${ [1, 2] }' }
          while: '${ false }'
          do:
            - add: { set: { sum: '${ $n }' } }
    """
    And the workflow input is:
    """yaml
    { sum: 0 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { sum: 0 }
    """
    And add should not run

  Scenario: While sees the item
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: while-sees-the-item, version: '1.0.0' }
    do:
      - rounds:
          for: { each: n, in: '${ [1, 2, 3] }' }
          while: $n < 3
          do:
            - add: { set: { sum: '${ .sum + $n }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { sum: 3 }
    """

  Scenario: Rounds in rounds
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: rounds-in-rounds, version: '1.0.0' }
    do:
      - outer:
          for: { each: a, in: '${ [1, 2] }' }
          do:
            - inner:
                for: { each: b, in: '${ [10, 20] }' }
                do:
                  - add: { set: { list: '${ .list + [$a * $b] }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { list: [ 10, 20, 20, 40 ] }
    """

  Scenario: Several tasks in a round
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: several-tasks-in-a-round, version: '1.0.0' }
    do:
      - rounds:
          for: { each: n, in: '${ [1, 2] }' }
          do:
            - one: { set: { list: '${ .list + [$n] }' } }
            - two: { set: { list: '${ .list + [$n * 10] }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { list: [ 1, 10, 2, 20 ] }
    """
    And 'one', 'two', 'one', 'two' should run in this order

  Scenario: What is exported in a round is known in the next
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: what-is-exported-in-a-round-is-known-in-the-next, version: '1.0.0' }
    do:
      - rounds:
          for: { each: n, in: '${ [1, 2, 3] }' }
          do:
            - add: { set: { n: '${ $n }' }, export: { as: '${ { sum: ($context.sum + $n) } }' } }
      - after: { set: '${ $context }' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { sum: 6 }
    """

  Scenario: Only lists have rounds
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: only-lists-have-rounds, version: '1.0.0' }
    do:
      - rounds:
          for: { in: .text }
          do:
            - add: { set: { never: true } }
    """
    And the workflow input is:
    """yaml
    { text: abc }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/expression', instance: /do/0/rounds }
    """

  Scenario: A failure in a round ends all
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-failure-in-a-round-ends-all, version: '1.0.0' }
    do:
      - rounds:
          for: { each: n, in: '${ [1, 2, 3] }' }
          do:
            - fail: { if: '${ $n == 2 }', raise: { error: { type: 'https://example.com/two', status: 400 } } }
            - after: { set: { n: '${ $n }' } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://example.com/two', instance: /do/0/rounds/do/0/fail }
    """
    And after should run 1 times

  Scenario: Output of all rounds is transformed once
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: output-of-all-rounds-is-transformed-once, version: '1.0.0' }
    do:
      - rounds:
          for: { each: n, in: '${ [1, 2] }' }
          do:
            - add: { set: { sum: '${ .sum + $n }' } }
          output: { as: .sum }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    3
    """
