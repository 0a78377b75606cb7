Feature: Extensions
  Tasks around tasks.

  Scenario: Before and after, without touching the data
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: before-and-after, version: '1.0.0' }
    use:
      extensions:
        - watch:
            extend: set
            before:
              - arriving: { set: { lost: true } }
            after:
              - leaving: { set: { lost: true } }
    do:
      - work: { set: { n: 1 } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 1 }
    """
    And arriving, work, leaving should run in this order

  Scenario Outline: Only when the condition holds
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: only-when-the-condition-holds, version: '1.0.0' }
    use:
      extensions:
        - watch:
            extend: set
            when: .watched
            before:
              - arriving: { set: { lost: true } }
    do:
      - work: { set: { n: 1 } }
    """
    And the workflow input is:
    """yaml
    { watched: <watched> }
    """
    When the workflow is executed
    Then the workflow should complete
    And arriving should run <times> times

    Examples:
      | watched | times |
      | true    | 1     |
      | false   | 0     |

  Scenario: One that leaves with exit stands for the task
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: stands-for-the-task, version: '1.0.0' }
    use:
      extensions:
        - mock:
            extend: call
            before:
              - answer: { set: { mocked: true }, then: exit }
    do:
      - work: { call: task, with: { name: work } }
    """
    And a worker that answers 'work' with:
    """yaml
    { mocked: false }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { mocked: true }
    """
    And the worker should have been given 'work' 0 times
