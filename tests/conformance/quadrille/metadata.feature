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

  Scenario: The full names say the same
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: the-full-names-say-the-same
      version: '1.0.0'
      title: The full names
      summary: They say the same as the short ones.
      metadata:
        'dev.quadrille/labels': { team: blue }
        'dev.quadrille/attributes': { total: { type: number, from: .total } }
    evaluate: { language: jq, mode: strict }
    do:
      - work: { set: { n: 1 } }
    """
    And the workflow input is:
    """yaml
    { total: 7 }
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow should have the label 'team' with value:
    """yaml
    blue
    """
    And the workflow should have the attribute 'total' with value:
    """yaml
    7
    """

  Scenario: Variables have a first value and a shape
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: variables-have-a-first-value-and-a-shape
      version: '1.0.0'
      metadata:
        'dev.quadrille/variables': { initial: { count: 1 }, schema: { type: object, required: [ count ] } }
    do:
      - count: { set: { before: '${ $context.count }' }, export: { as: '${ { count: ($context.count + 1) } }' } }
      - tell: { set: { before: '${ .before }', after: '${ $context.count }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { before: 1, after: 2 }
    """

  Scenario: Variables that lose their shape
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: variables-that-lose-their-shape
      version: '1.0.0'
      metadata:
        'dev.quadrille/variables': { initial: { count: 1 }, schema: { type: object, required: [ count ] } }
    do:
      - lose: { set: { n: 1 }, export: { as: '${ {} }' } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/validation', status: 400 }
    """
