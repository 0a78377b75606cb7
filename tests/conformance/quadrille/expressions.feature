Feature: Expressions
  jq, strict: what is between `${` and `}` is an expression, and so is the whole of a place that takes nothing else.

  Scenario Outline: Results
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: results, version: '1.0.0' }
    do:
      - result: { set: { is: '${ <expression> }' } }
    """
    And the workflow input is:
    """yaml
    { a: 2, list: [ 3, 1, 2 ], text: "Ada Lovelace" }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { is: <value> }
    """

    Examples:
      | expression                                          | value                          |
      | .a                                                  | 2                              |
      | .missing                                            | null                           |
      | .missing // 5                                       | 5                              |
      | .list[-1]                                           | 2                              |
      | .list[1:]                                           | [ 1, 2 ]                       |
      | .list \| sort                                       | [ 1, 2, 3 ]                    |
      | .list \| map(. * .) \| add                          | 14                             |
      | [.list[] \| select(. > 1)]                          | [ 3, 2 ]                       |
      | .list \| length                                     | 3                              |
      | if .a > 1 then "more" else "less" end               | more                           |
      | "Hello, \\(.text)!"                                 | "Hello, Ada Lovelace!"         |
      | .text \| split(" ") \| last                         | Lovelace                       |
      | .text \| test("^Ada")                               | true                           |
      | reduce .list[] as $n (0; . + $n)                    | 6                              |
      | .list \| max - min                                  | 2                              |
      | {b: .a} \| keys                                     | [ b ]                          |
      | [range(3)]                                          | [ 0, 1, 2 ]                    |
      | .a as $x \| $x + 1                                  | 3                              |
      | try error("no") catch .                             | "no"                           |
      | "2024-02-29T00:00:00Z" \| fromdate                  | 1709164800                     |
      | def twice: . * 2; .a \| twice                       | 4                              |
      | .a == 2 and (.list \| any(. > 2))                   | true                           |

  Scenario: Bare expressions where nothing else can stand
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: bare-expressions-where-nothing-else-can-stand, version: '1.0.0' }
    do:
      - once:
          if: .a == 1
          input: { from: .b }
          set: { got: '${ . }' }
          output: { as: .got }
          export: { as: '{ seen: . }' }
      - again: { set: { data: '${ . }', context: '${ $context }' } }
    """
    And the workflow input is:
    """yaml
    { a: 1, b: 2 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { data: 2, context: { seen: 2 } }
    """

  Scenario: Name and reference of a task
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: name-and-reference-of-a-task, version: '1.0.0' }
    do:
      - outer:
          do:
            - inner: { set: { name: '${ $task.name }', at: '${ $task.reference }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { name: inner, at: /do/0/outer/do/0/inner }
    """

  Scenario: The definition of a task
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-definition-of-a-task, version: '1.0.0' }
    do:
      - one:
          metadata: { colour: red }
          set: { colour: '${ $task.definition.metadata.colour }' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { colour: red }
    """

  Scenario: The definition of the workflow
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-definition-of-the-workflow, version: '1.0.0' }
    do:
      - one: { set: '${ $workflow.definition.document | { name, version } }' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { name: the-definition-of-the-workflow, version: '1.0.0' }
    """

  Scenario: A run has an id
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-run-has-an-id, version: '1.0.0' }
    do:
      - one: { set: { id: '${ $workflow.id | type }', again: '${ $workflow.id | length > 10 }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { id: string, again: true }
    """

  Scenario: Times of the workflow and the task
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: times-of-the-workflow-and-the-task, version: '1.0.0' }
    do:
      - one:
          set:
            same: '${ ($workflow.startedAt.epoch.milliseconds / 1000 | floor) == $workflow.startedAt.epoch.seconds }'
            text: '${ $workflow.startedAt.iso8601 | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T") }'
            order: '${ $workflow.startedAt.epoch.milliseconds <= $task.startedAt.epoch.milliseconds }'
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { same: true, text: true, order: true }
    """

  Scenario: The runtime says who it is
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-runtime-says-who-it-is, version: '1.0.0' }
    do:
      - one: { set: { name: '${ $runtime.name | type }', version: '${ $runtime.version | type }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { name: string, version: string }
    """

  Scenario Outline: An expression that fails
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: an-expression-that-fails, version: '1.0.0' }
    do:
      - wrong: { set: { is: '${ <expression> }' } }
    """
    And the workflow input is:
    """yaml
    { a: text }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/expression', status: 400, instance: /do/0/wrong }
    """
    And wrong should fault

    Examples:
      | expression             |
      | .a + 1                 |
      | .a.b                   |
      | error("no")            |
      | .a \| tonumber         |
      | [.a[]]                 |

  Scenario Outline: An expression that would never end
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: an-expression-that-would-never-end, version: '1.0.0' }
    do:
      - wrong: { set: { is: '${ <expression> }' } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/expression' }
    """

    Examples:
      | expression                                |
      | [repeat(1)]                               |
      | def f: f; f                               |
      | last(range(infinite))                     |
      | reduce range(100) as $i ("x"; . + .)      |

  Scenario Outline: An expression that must not be
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: an-expression-that-must-not-be, version: '1.0.0' }
    do:
      - wrong: { set: { is: '${ <expression> }' } }
    """
    When the workflow is checked
    Then the check should find 'bad-expression' in line 3

    Examples:
      | expression  |
      | now         |
      | halt        |
      | env         |
      | input       |
      | .a[         |
      | nonsense(1) |
      | $unknown    |
