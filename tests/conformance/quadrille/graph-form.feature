Feature: Graph form
  Nodes and edges where the language has a list of tasks.

  Scenario: A list of the data of all that have come
    Given a workflow with definition:
    """yaml
    graph: '1.0'
    document: { namespace: default, name: all-that-have-come, version: '1.0.0' }
    nodes:
      spread: { split: {} }
      left: { set: { side: left } }
      right: { set: { side: right } }
      both: { join: { need: all } }
      count: { set: { sides: '${ map(.side) | sort }' } }
    edges:
      - { from: spread, to: left }
      - { from: spread, to: right }
      - { from: left, to: both }
      - { from: right, to: both }
      - { from: both, to: count }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { sides: [left, right] }
    """

  Scenario: An edge that leads nowhere is refused
    Given a workflow with definition:
    """yaml
    graph: '1.0'
    document: { namespace: default, name: leads-nowhere, version: '1.0.0' }
    nodes:
      work: { set: { n: 1 } }
    edges:
      - { from: work, to: absent }
    """
    When the workflow is checked
    Then the check should find 'unknown-jump' in line 6
