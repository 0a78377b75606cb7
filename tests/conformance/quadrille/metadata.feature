Feature: Metadata
  What runs are found by.

  Scenario: Tags of the workflow are labels of its runs
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: tags, version: '1.0.0', tags: { team: checkout } }
    do:
      - work: { set: { n: 1 } }
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow should have the label 'team' with value:
    """yaml
    checkout
    """

  Scenario: Search attributes are taken from the input
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: attributes
      version: '1.0.0'
      metadata:
        attributes:
          total: { type: number, from: '${ .total }' }
          customer: { type: text, from: .customer.id }
    do:
      - work: { set: { n: 1 } }
    """
    And the workflow input is:
    """yaml
    { total: 12.5, customer: { id: c-1 } }
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow should have the attribute 'total' with value:
    """yaml
    12.5
    """
    And the workflow should have the attribute 'customer' with value:
    """yaml
    c-1
    """

  Scenario: Metadata of a task means nothing
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: metadata-of-a-task-means-nothing, version: '1.0.0' }
    do:
      - work: { metadata: { 'com.example/colour': red }, set: { n: 1 } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 1 }
    """

  Scenario: The same business key is the same run
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-same-business-key-is-the-same-run, version: '1.0.0' }
    do:
      - pause: { wait: { seconds: 30 } }
    """
    And the business key is 'order-17'
    When the workflow is started
    And the workflow is started
    Then both starts should mean the same run
