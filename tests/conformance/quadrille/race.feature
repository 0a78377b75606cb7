Feature: Call race
  The first few of many.

  Scenario: As many as needed
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: as-many-as-needed, version: '1.0.0' }
    do:
      - quotes:
          call: race
          with:
            need: 2
            branches:
              - a: { set: { price: 1 } }
              - b: { set: { price: 2 } }
              - c: { wait: { seconds: 30 } }
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow output should have a '0.price' property with value:
    """yaml
    1
    """
    And the workflow output should have a '1.price' property with value:
    """yaml
    2
    """
    And c should cancel
    And the workflow should take less than 5000 ms

  Scenario: The first alone
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-first-alone, version: '1.0.0' }
    do:
      - quotes: { call: race, with: { first: true, losers: cancel, branches: [ { slow: { wait: { seconds: 60 } } }, { fast: { set: { price: 2 } } } ] } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { price: 2 }
    """
    And slow should cancel
