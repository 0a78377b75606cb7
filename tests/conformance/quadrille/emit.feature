Feature: Emit
  Events that a workflow gives out.

  Scenario: An event has what the author gives and what it needs
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: an-event-has-what-the-author-gives-and-what-it-needs, version: '1.0.0' }
    do:
      - tell:
          emit:
            event:
              with: { source: 'https://example.com/shop', type: order.placed, subject: '${ .id }', data: { id: '${ .id }' } }
    """
    And the workflow input is:
    """yaml
    { id: o-7 }
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow output should have properties 'id', 'specversion', 'time', 'source', 'type', 'subject', 'data'
    And the workflow output should have a 'specversion' property with value:
    """yaml
    '1.0'
    """
    And the workflow output should have a 'subject' property with value:
    """yaml
    o-7
    """
    And the workflow output should have a 'data' property with value:
    """yaml
    { id: o-7 }
    """

  Scenario: Attributes of one's own
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: attributes-of-one-s-own, version: '1.0.0' }
    do:
      - tell: { emit: { event: { with: { source: 'https://example.com', type: order.placed, tenant: acme } } } }
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow output should have a 'tenant' property with value:
    """yaml
    acme
    """

  Scenario: An event of one run is heard by another
    Given another workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: teller, version: '1.0.0' }
    do:
      - tell: { emit: { event: { with: { source: 'https://example.com', type: order.placed, data: { id: 7 } } } } }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: an-event-of-one-run-is-heard-by-another, version: '1.0.0' }
    do:
      - hear: { listen: { to: { one: { with: { type: order.placed } } } } }
    """
    When the workflow is started and waits at hear
    And the workflow 'teller' is executed
    Then the workflow should complete with output:
    """yaml
    [ { id: 7 } ]
    """

  Scenario: An event that comes before anybody listens is kept
    Given another workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: teller, version: '1.0.0' }
    do:
      - tell: { emit: { event: { with: { source: 'https://example.com', type: order.placed, data: { id: 7 } } } } }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: an-event-that-comes-before-anybody-listens-is-kept, version: '1.0.0' }
    do:
      - pause: { wait: { milliseconds: 600 } }
      - hear: { listen: { to: { one: { with: { type: order.placed } } } } }
    """
    When the workflow is started and waits at pause
    And the workflow 'teller' is executed
    Then the workflow should complete with output:
    """yaml
    [ { id: 7 } ]
    """

  Scenario: Everything an event says is heard
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: everything-an-event-says-is-heard, version: '1.0.0' }
    do:
      - say: { emit: { event: { with: { id: e-1, source: 'https://example.com', type: news, time: '2030-01-31T09:00:00Z', datacontenttype: application/json, dataschema: 'https://example.com/news', data: { n: 1 } } } } }
      - hear: { listen: { to: { one: { with: { type: news } } }, read: envelope } }
      - tell: { set: '${ .[0] | { id, time, datacontenttype, dataschema, data } }' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { id: e-1, time: '2030-01-31T09:00:00Z', datacontenttype: application/json, dataschema: 'https://example.com/news', data: { n: 1 } }
    """
