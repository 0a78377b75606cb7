Feature: Data flow
  How data comes to a task, leaves it, and reaches the next.

  Scenario: The input of the workflow is the input of its first task
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-input-of-the-workflow-is-the-input-of-its-first-task, version: '1.0.0' }
    do:
      - same: { set: '${ . }' }
    """
    And the workflow input is:
    """yaml
    { a: 1 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { a: 1 }
    """

  Scenario: Without an input there is an empty object
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: without-an-input-there-is-an-empty-object, version: '1.0.0' }
    do:
      - same: { set: { input: '${ . }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { input: {} }
    """

  Scenario: The output of a task is the input of the next
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-output-of-a-task-is-the-input-of-the-next, version: '1.0.0' }
    do:
      - one: { set: { n: 1 } }
      - two: { set: { n: '${ .n + 1 }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 2 }
    """

  Scenario: Input of the workflow is transformed once
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: input-of-the-workflow-is-transformed-once, version: '1.0.0' }
    input: { from: .order }
    do:
      - keep: { set: { seen: '${ . }', variable: '${ $input }' } }
    """
    And the workflow input is:
    """yaml
    { order: { id: 7 }, noise: true }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { seen: { id: 7 }, variable: { id: 7 } }
    """

  Scenario: The raw input stays known
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-raw-input-stays-known, version: '1.0.0' }
    input: { from: .order }
    do:
      - keep: { set: { raw: '${ $workflow.input.noise }' } }
    """
    And the workflow input is:
    """yaml
    { order: { id: 7 }, noise: loud }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { raw: loud }
    """

  Scenario: Output of the workflow is transformed at its end
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: output-of-the-workflow-is-transformed-at-its-end, version: '1.0.0' }
    output: { as: '${ { total: .items | add } }' }
    do:
      - keep: { set: { items: [ 1, 2, 3 ] } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { total: 6 }
    """

  Scenario: Output of the workflow as a map with expressions
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: output-of-the-workflow-as-a-map-with-expressions, version: '1.0.0' }
    output: { as: { first: '${ .items[0] }', fixed: 1 } }
    do:
      - keep: { set: { items: [ a, b ] } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { first: a, fixed: 1 }
    """

  Scenario: Input of a task is transformed for this task alone
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: input-of-a-task-is-transformed-for-this-task-alone, version: '1.0.0' }
    do:
      - one:
          input: { from: .a }
          set: { got: '${ . }' }
          output: { as: '${ { got: .got, known: $input } }' }
      - two: { set: '${ . }' }
    """
    And the workflow input is:
    """yaml
    { a: 5, b: 6 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { got: 5, known: 5 }
    """

  Scenario: Raw and transformed input of a task
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: raw-and-transformed-input-of-a-task, version: '1.0.0' }
    do:
      - one:
          input: { from: .a }
          set: { raw: '${ $task.input.b }', transformed: '${ $input }' }
    """
    And the workflow input is:
    """yaml
    { a: 5, b: 6 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { raw: 6, transformed: 5 }
    """

  Scenario: Raw input and start of a task after it has waited
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: raw-input-and-start-of-a-task-after-it-has-waited, version: '1.0.0' }
    do:
      - one:
          input: { from: .a }
          wait: { milliseconds: 200 }
          output: { as: '${ { raw: $task.input.b, transformed: $input, began: ($task.startedAt == $workflow.startedAt) } }' }
    """
    And the workflow input is:
    """yaml
    { a: 5, b: 6 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { raw: 6, transformed: 5, began: true }
    """

  Scenario: Raw output of a task while it is transformed
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: raw-output-of-a-task-while-it-is-transformed, version: '1.0.0' }
    do:
      - one:
          set: { n: 1 }
          output: { as: '${ { raw: $task.output, here: . } }' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { raw: { n: 1 }, here: { n: 1 } }
    """

  Scenario: Context is what was exported last
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: context-is-what-was-exported-last, version: '1.0.0' }
    do:
      - one: { set: { a: 1 }, export: { as: '${ { first: .a } }' } }
      - two: { set: { b: 2 }, export: { as: '${ { second: .b } }' } }
      - three: { set: '${ $context }' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { second: 2 }
    """

  Scenario: Export sees the transformed output and the context so far
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: export-sees-the-transformed-output-and-the-context-so-far, version: '1.0.0' }
    do:
      - one: { set: { a: 1 }, export: { as: '${ . }' } }
      - two:
          set: { b: 2, noise: 3 }
          output: { as: '${ { b } }' }
          export: { as: '${ $context + . + { variable: $output } }' }
      - three: { set: '${ $context }' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { a: 1, b: 2, variable: { b: 2 } }
    """

  Scenario: Export leaves the data alone
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: export-leaves-the-data-alone, version: '1.0.0' }
    do:
      - one: { set: { a: 1 }, export: { as: '${ "elsewhere" }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { a: 1 }
    """

  Scenario: Context reaches the output of the workflow
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: context-reaches-the-output-of-the-workflow, version: '1.0.0' }
    output: { as: '${ $context }' }
    do:
      - one: { set: { a: 1 }, export: { as: '${ .a }' } }
      - two: { set: { b: 1 } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    1
    """

  Scenario: Context is kept through containers
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: context-is-kept-through-containers, version: '1.0.0' }
    do:
      - outer:
          do:
            - inner: { set: { a: 1 }, export: { as: '${ { seen: .a } }' } }
      - after: { set: '${ $context }' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { seen: 1 }
    """

  Scenario: Data may be any value
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: data-may-be-any-value, version: '1.0.0' }
    do:
      - text: { set: '${ "text" }' }
      - list: { set: '${ [ . ] }' }
      - none: { set: '${ [ ., null, true, 1.5 ] }' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    [ [ text ], null, true, 1.5 ]
    """

  Scenario: A task that is skipped gives its input on
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-task-that-is-skipped-gives-its-input-on, version: '1.0.0' }
    do:
      - never: { if: '${ .go }', set: { a: 2 } }
    """
    And the workflow input is:
    """yaml
    { go: false }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { go: false }
    """

  Scenario: A task that is skipped transforms and exports nothing
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-task-that-is-skipped-transforms-and-exports-nothing, version: '1.0.0' }
    do:
      - before: { set: { a: 1 }, export: { as: '${ "before" }' } }
      - never:
          if: '${ false }'
          input: { from: '${ "from" }' }
          set: { a: 2 }
          output: { as: '${ "as" }' }
          export: { as: '${ "never" }' }
      - after: { set: { data: '${ . }', context: '${ $context }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { data: { a: 1 }, context: before }
    """

  Scenario: The condition sees the raw input
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-condition-sees-the-raw-input, version: '1.0.0' }
    do:
      - once:
          if: .a == 1
          input: { from: .b }
          set: { got: '${ . }' }
    """
    And the workflow input is:
    """yaml
    { a: 1, b: 2 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { got: 2 }
    """

  Scenario: A large number stays exact
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-large-number-stays-exact, version: '1.0.0' }
    do:
      - same: { set: { n: '${ .n + 1 }' } }
    """
    And the workflow input is:
    """yaml
    { n: 9007199254740992 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 9007199254740993 }
    """
