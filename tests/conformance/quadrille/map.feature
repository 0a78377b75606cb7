Feature: Call map
  A list side by side.

  Scenario: Outputs in the order of the list
    Given a worker that answers 'double' with its input
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: outputs-in-the-order-of-the-list, version: '1.0.0' }
    do:
      - each: { call: map, with: { in: .list, each: n, do: [ { one: { call: task, with: { name: double, input: '${ $n * 2 }' } } } ] } }
    """
    And the workflow input is:
    """yaml
    { list: [ 1, 2, 3 ] }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    [ 2, 4, 6 ]
    """
    And the worker should have been given 'double' 3 times

  Scenario: Item and index
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: item-and-index, version: '1.0.0' }
    do:
      - each: { call: map, with: { in: .list, do: [ { one: { set: { at: '${ $index }', is: '${ $item }' } } } ] } }
    """
    And the workflow input is:
    """yaml
    { list: [ a, b ] }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    [ { at: 0, is: a }, { at: 1, is: b } ]
    """

  Scenario: Items at the same time
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: items-at-the-same-time, version: '1.0.0' }
    do:
      - each: { call: map, with: { in: '${ [1, 2, 3, 4] }', concurrency: 4, do: [ { pause: { wait: { milliseconds: 400 } } } ] } }
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow should take less than 1300 ms

  Scenario: No more at once than said
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: no-more-at-once-than-said, version: '1.0.0' }
    do:
      - each: { call: map, with: { in: '${ [1, 2, 3, 4] }', concurrency: 2, do: [ { pause: { wait: { milliseconds: 200 } } } ] } }
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow should take at least 400 ms

  Scenario: An empty list
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: an-empty-list, version: '1.0.0' }
    do:
      - each: { call: map, with: { in: '${ [] }', do: [ { one: { set: { n: 1 } } } ] } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    []
    """

  Scenario: One failure fails the whole
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: one-failure-fails-the-whole, version: '1.0.0' }
    do:
      - each: { call: map, with: { in: '${ [1, 2] }', each: n, do: [ { one: { if: '${ $n == 2 }', raise: { error: { type: 'https://example.com/two', status: 400 } } } } ] } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://example.com/two' }
    """

  Scenario: Enough of a list
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: enough-of-a-list, version: '1.0.0' }
    do:
      - each:
          call: map
          with:
            in: '${ [1, 2, 3] }'
            each: n
            at: i
            need: 2
            losers: cancel
            do:
              - slow: { if: '${ $n == 3 }', wait: { seconds: 60 } }
              - one: { set: { n: '${ $n }', at: '${ $i }' } }
    """
    When the workflow is executed
    Then the workflow should complete
    And slow should cancel
    And the workflow output should have a '1' property with value:
    """yaml
    { n: 2, at: 1 }
    """

  Scenario: No more elements once a condition fails
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: no-more-elements-once-a-condition-fails, version: '1.0.0' }
    do:
      - each: { call: map, with: { in: '${ [1, 2, 3, 1] }', each: n, concurrency: 1, while: '${ $n < 3 }', do: [ { one: { set: '${ $n }' } } ] } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    [ 1, 2 ]
    """

  Scenario: Until the outputs are enough
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: until-the-outputs-are-enough, version: '1.0.0' }
    do:
      - each: { call: map, with: { in: '${ [1, 2, 3] }', each: n, concurrency: 1, until: '${ add >= 3 }', do: [ { one: { set: '${ $n }' } } ] } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    [ 1, 2 ]
    """

  Scenario: Elements that come while it goes on
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: elements-that-come-while-it-goes-on, version: '1.0.0' }
    do:
      - each: { call: map, with: { in: '${ [1] }', each: n, need: 2, more: { with: { type: further }, max: 1, transient: false }, do: [ { one: { set: '${ $n }' } } ] } }
    """
    When the workflow is started
    And the signal 'further' is sent with data:
    """yaml
    2
    """
    Then the workflow should complete with output:
    """yaml
    [ 1, 2 ]
    """
