Feature: Schema
  What data must be.

  Scenario Outline: Input that does not fit is a failure
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: input-that-does-not-fit, version: '1.0.0' }
    do:
      - work:
          input: { schema: { format: json, document: { type: object, required: [n], properties: { n: { type: integer, minimum: 1 } } } } }
          set: { twice: '${ .n * 2 }' }
    """
    And the workflow input is:
    """yaml
    <input>
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/validation', status: 400, instance: /do/0/work }
    """

    Examples:
      | input    |
      | {}       |
      | { n: 0 } |
      | { n: a } |

  Scenario: Data that fits goes through
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: data-that-fits, version: '1.0.0' }
    do:
      - work:
          input: { schema: { format: json, document: { required: [n] } } }
          set: { twice: '${ .n * 2 }' }
          output: { schema: { format: json, document: { required: [twice] } } }
    """
    And the workflow input is:
    """yaml
    { n: 2 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { twice: 4 }
    """

  Scenario: A misfit can be caught
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-misfit-can-be-caught, version: '1.0.0' }
    do:
      - attempt:
          try:
            - work:
                set: { n: a }
                output: { schema: { format: json, document: { properties: { n: { type: number } } } } }
          catch:
            errors: { with: { type: validation } }
            do:
              - mend: { set: { n: 1 } }
    """
    When the workflow is executed
    Then work should fault
    And the workflow should complete with output:
    """yaml
    { n: 1 }
    """

  Scenario: The context must fit what is exported
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-context-must-fit, version: '1.0.0' }
    do:
      - work:
          set: { n: a }
          export: { as: '${ . }', schema: { format: json, document: { properties: { n: { type: number } } } } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/validation', status: 400 }
    """

  Scenario: The output of the workflow must fit
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-output-of-the-workflow-must-fit, version: '1.0.0' }
    do:
      - work: { set: { n: a } }
    output: { schema: { format: json, document: { properties: { n: { type: number } } } } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/validation', status: 400 }
    """
