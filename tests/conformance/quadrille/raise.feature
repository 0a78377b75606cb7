Feature: Raise
  Errors that the author means.

  Scenario: Every member of an error
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: every-member-of-an-error, version: '1.0.0' }
    do:
      - fail:
          raise:
            error: { type: 'https://example.com/bad', status: 422, title: Bad, detail: Very bad }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://example.com/bad', status: 422, title: Bad, detail: Very bad, instance: /do/0/fail }
    """
    And fail should fault with error:
    """yaml
    { type: 'https://example.com/bad' }
    """

  Scenario: An error by its name
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: an-error-by-its-name, version: '1.0.0' }
    use:
      errors:
        bad: { type: 'https://example.com/bad', status: 422, title: Bad }
    do:
      - fail: { raise: { error: bad } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://example.com/bad', status: 422, title: Bad, instance: /do/0/fail }
    """

  Scenario: Title and detail may be expressions
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: title-and-detail-may-be-expressions, version: '1.0.0' }
    do:
      - fail:
          raise:
            error:
              type: https://example.com/bad
              status: 400
              title: '${ "Order \(.id)" }'
              detail: '${ "of \($workflow.input.who)" }'
    """
    And the workflow input is:
    """yaml
    { id: 7, who: Ada }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { title: Order 7, detail: of Ada }
    """

  Scenario: Where an error was raised
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: where-an-error-was-raised, version: '1.0.0' }
    do:
      - outer:
          do:
            - before: { set: { n: 1 } }
            - rounds:
                for: { in: '${ [1] }' }
                do:
                  - fail: { raise: { error: { type: 'https://example.com/bad', status: 400 } } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { instance: /do/0/outer/do/1/rounds/do/0/fail }
    """

  Scenario: Nothing runs after an error
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: nothing-runs-after-an-error, version: '1.0.0' }
    do:
      - fail: { raise: { error: { type: 'https://example.com/bad', status: 400 } } }
      - after: { set: { n: 1 } }
    """
    When the workflow is executed
    Then the workflow should fault
    And fail should run last
    And after should not run

  Scenario: An error by a name that there is not
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: an-error-by-a-name-that-there-is-not, version: '1.0.0' }
    do:
      - fail: { raise: { error: bad } }
    """
    When the workflow is checked
    Then the check should find 'unknown-name' in line 3

  Scenario: An error says where it is from
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: an-error-says-where-it-is-from, version: '1.0.0' }
    do:
      - break: { raise: { error: { type: 'https://example.com/broken', status: 500, instance: /elsewhere } } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://example.com/broken', status: 500, instance: /elsewhere }
    """
