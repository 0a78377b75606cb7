Feature: Listen
  Events and signals that a run waits for.

  Scenario: A signal goes to the run that it is sent to
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-signal-goes-to-the-run-that-it-is-sent-to, version: '1.0.0' }
    do:
      - decision: { listen: { to: { one: { with: { type: approved } } } } }
    """
    When the workflow is started and waits at decision
    And the signal 'approved' is sent with data:
    """yaml
    { by: ada }
    """
    Then the workflow should complete with output:
    """yaml
    [ { by: ada } ]
    """

  Scenario: A signal that comes early is kept
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-signal-that-comes-early-is-kept, version: '1.0.0' }
    do:
      - pause: { wait: { milliseconds: 600 } }
      - decision: { listen: { to: { one: { with: { type: approved } } } } }
    """
    When the workflow is started and waits at pause
    And the signal 'approved' is sent with data:
    """yaml
    1
    """
    Then the workflow should complete with output:
    """yaml
    [ 1 ]
    """

  Scenario: Another signal does not count
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: another-signal-does-not-count, version: '1.0.0' }
    do:
      - decision:
          listen: { to: { one: { with: { type: approved } } } }
          timeout: { after: { milliseconds: 500 } }
    """
    When the workflow is started and waits at decision
    And the signal 'rejected' is sent
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout', status: 408 }
    """

  Scenario: Each wait consumes one signal
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: each-wait-consumes-one-signal, version: '1.0.0' }
    do:
      - one: { listen: { to: { one: { with: { type: go } } } }, export: { as: '${ . }' } }
      - two: { listen: { to: { one: { with: { type: go } } } }, output: { as: '${ $context + . }' } }
    """
    When the workflow is started and waits at one
    And the signal 'go' is sent with data:
    """yaml
    1
    """
    And the signal 'go' is sent with data:
    """yaml
    2
    """
    Then the workflow should complete with output:
    """yaml
    [ 1, 2 ]
    """

  Scenario: A published event goes to who waits
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-published-event-goes-to-who-waits, version: '1.0.0' }
    do:
      - hear: { listen: { to: { one: { with: { type: order.paid } } } } }
    """
    When the workflow is started and waits at hear
    And the event is published:
    """yaml
    { type: order.paid, source: 'https://example.com', data: { id: 7 } }
    """
    Then the workflow should complete with output:
    """yaml
    [ { id: 7 } ]
    """

  Scenario: The whole event instead of its data
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-whole-event-instead-of-its-data, version: '1.0.0' }
    do:
      - hear: { listen: { to: { one: { with: { type: order.paid } } }, read: envelope } }
    """
    When the workflow is started and waits at hear
    And the event is published:
    """yaml
    { type: order.paid, source: 'https://example.com', data: { id: 7 } }
    """
    Then the workflow should complete
    And the workflow output should have a '0.type' property with value:
    """yaml
    order.paid
    """
    And the workflow output should have a '0.source' property with value:
    """yaml
    https://example.com
    """
    And the workflow output should have a '0.data' property with value:
    """yaml
    { id: 7 }
    """

  Scenario: Attributes of an event are compared
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: attributes-of-an-event-are-compared, version: '1.0.0' }
    do:
      - hear: { listen: { to: { one: { with: { type: order.paid, source: 'https://example.com/b' } } } } }
    """
    When the workflow is started and waits at hear
    And the event is published:
    """yaml
    { type: order.paid, source: 'https://example.com/a', data: 1 }
    """
    And the event is published:
    """yaml
    { type: order.paid, source: 'https://example.com/b', data: 2 }
    """
    Then the workflow should complete with output:
    """yaml
    [ 2 ]
    """

  Scenario: Data of an event is judged
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: data-of-an-event-is-judged, version: '1.0.0' }
    do:
      - hear: { listen: { to: { one: { with: { type: vitals.temperature, data: '${ .celsius > 38 }' } } } } }
    """
    When the workflow is started and waits at hear
    And the event is published:
    """yaml
    { type: vitals.temperature, source: 'https://example.com', data: { celsius: 37 } }
    """
    And the event is published:
    """yaml
    { type: vitals.temperature, source: 'https://example.com', data: { celsius: 39 } }
    """
    Then the workflow should complete with output:
    """yaml
    [ { celsius: 39 } ]
    """

  Scenario: An event is correlated with the data of the run
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: an-event-is-correlated-with-the-data-of-the-run, version: '1.0.0' }
    do:
      - hear:
          listen:
            to:
              one:
                with: { type: order.paid }
                correlate: { order: { from: '${ .data.id }', expect: '${ .order }' } }
    """
    And the workflow input is:
    """yaml
    { order: 7 }
    """
    When the workflow is started and waits at hear
    And the event is published:
    """yaml
    { type: order.paid, source: 'https://example.com', data: { id: 6 } }
    """
    And the event is published:
    """yaml
    { type: order.paid, source: 'https://example.com', data: { id: 7 } }
    """
    Then the workflow should complete with output:
    """yaml
    [ { id: 7 } ]
    """

  Scenario: Any of several
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: any-of-several, version: '1.0.0' }
    do:
      - hear: { listen: { to: { any: [ { with: { type: a } }, { with: { type: b } } ] } } }
    """
    When the workflow is started and waits at hear
    And the signal 'b' is sent with data:
    """yaml
    2
    """
    Then the workflow should complete with output:
    """yaml
    [ 2 ]
    """

  Scenario: All of several
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: all-of-several, version: '1.0.0' }
    do:
      - hear: { listen: { to: { all: [ { with: { type: a } }, { with: { type: b } } ] } } }
    """
    When the workflow is started and waits at hear
    And the signal 'b' is sent with data:
    """yaml
    2
    """
    Then the workflow should stand as 'waiting'
    When the signal 'a' is sent with data:
    """yaml
    1
    """
    Then the workflow should complete
    And the workflow output should have properties '0', '1'
    And the workflow output should lack properties '2'

  Scenario: Waiting for a signal survives a crash
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: waiting-for-a-signal-survives-a-crash, version: '1.0.0' }
    do:
      - decision: { listen: { to: { one: { with: { type: approved } } } } }
    """
    When the workflow is started and waits at decision
    And the runtime crashes and starts again
    And the signal 'approved' is sent with data:
    """yaml
    1
    """
    Then the workflow should complete with output:
    """yaml
    [ 1 ]
    """

  Scenario: An early signal survives a crash
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: an-early-signal-survives-a-crash, version: '1.0.0' }
    do:
      - pause: { wait: { seconds: 1 } }
      - decision: { listen: { to: { one: { with: { type: approved } } } } }
    """
    When the workflow is started and waits at pause
    And the signal 'approved' is sent with data:
    """yaml
    1
    """
    And the runtime crashes and starts again
    Then the workflow should complete with output:
    """yaml
    [ 1 ]
    """

  Scenario: Each event on its own
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: each-event-on-its-own, version: '1.0.0' }
    do:
      - hear:
          listen: { to: { any: [ { with: { type: go } } ], until: '${ length >= 2 }' } }
          foreach:
            item: heard
            at: place
            do: [ { one: { set: { n: '${ $heard.n }', at: '${ $place }' } } } ]
            output: { as: '${ . + { seen: true } }' }
            export: { as: '${ { last: .n } }' }
      - tell: { set: { all: '${ . }', last: '${ $context.last }' } }
    """
    When the workflow is started
    And the signal 'go' is sent with data:
    """yaml
    { n: 5 }
    """
    And the signal 'go' is sent with data:
    """yaml
    { n: 6 }
    """
    Then the workflow should complete with output:
    """yaml
    { all: [ { n: 5, at: 0, seen: true }, { n: 6, at: 1, seen: true } ], last: 6 }
    """

  Scenario Outline: Events until other events
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: events-until-other-events, version: '1.0.0' }
    do:
      - hear: { listen: { to: { any: [ { with: { type: item } } ], until: <until> } } }
    """
    When the workflow is started
    And the signal 'item' is sent with data:
    """yaml
    { n: 1 }
    """
    And the signal 'stop' is sent with data:
    """yaml
    {}
    """
    Then the workflow should complete with output:
    """yaml
    [ { n: 1 } ]
    """

    Examples:
      | until                                                  |
      | { one: { with: { type: stop } } }                      |
      | { any: [ { with: { type: stop } } ] }                  |
      | { all: [ { with: { type: stop } } ] }                  |
