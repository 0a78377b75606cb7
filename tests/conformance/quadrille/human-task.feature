Feature: Human task
  Work that waits for a person.

  Scenario: What a person decides is the output
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: what-a-person-decides, version: '1.0.0' }
    do:
      - review:
          call: human-task
          with:
            title: Review
            form: { schema: { type: object, required: [pays] } }
            outcomes: [approve, refuse]
    """
    When the workflow is started
    And the person 'grace' claims review
    And the runtime crashes and starts again
    And the person 'grace' completes review with:
    """yaml
    { outcome: approve, data: { pays: 40 } }
    """
    And the runtime crashes and starts again
    Then the workflow should complete with output:
    """yaml
    { outcome: approve, data: { pays: 40 }, by: grace }
    """
    And review should run 1 times

  Scenario: A rejection can be caught
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-rejection-can-be-caught, version: '1.0.0' }
    do:
      - attempt:
          try:
            - review: { call: human-task, with: { title: Review } }
          catch:
            errors: { with: { type: 'https://quadrille.dev/errors/rejected', status: 422 } }
            do:
              - mend: { set: { approved: false } }
    """
    When the workflow is started
    And the person 'grace' rejects review
    Then the workflow should complete with output:
    """yaml
    { approved: false }
    """

  Scenario: Nobody comes in time
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: nobody-comes-in-time, version: '1.0.0' }
    do:
      - review:
          call: human-task
          with: { title: Review }
          timeout: { after: { milliseconds: 20 } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout', status: 408 }
    """
