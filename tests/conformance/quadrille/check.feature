Feature: Check
  What there is to say about a text before anything runs.

  Scenario: A sound workflow
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-sound-workflow, version: '1.0.0' }
    do:
      - work: { set: { n: 1 } }
    """
    When the workflow is checked
    Then the check should find nothing

  Scenario: Several at once
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: several-at-once, version: '1.0.0' }
    do:
      - one: { set: { n: 1 }, then: nowhere }
      - two: { wait: PT5 }
      - three: { call: nobody }
    """
    When the workflow is checked
    Then the check should find 'unknown-jump' in line 3
    And the check should find 'bad-duration' in line 4
    And the check should find 'unknown-function' in line 5

  Scenario Outline: One mistake in a task
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: one-mistake-in-a-task, version: '1.0.0' }
    do:
      - one: <task>
    """
    When the workflow is checked
    Then the check should find '<code>' in line 3

    Examples:
      | task                                                                  | code                    |
      | { set: { n: 1 }, whne: .x }                                           | unknown-key             |
      | { set: .x }                                                           | bad-type                |
      | { set: { n: '${ }' } }                                                | bad-expression          |
      | { set: { n: '${ .a } and ${ .b }' } }                                 | bad-expression          |
      | { wait: soon }                                                        | bad-duration            |
      | { wait: P1M }                                                         | bad-duration            |
      | { wait: { fortnights: 1 } }                                           | bad-duration            |
      | { wait: { seconds: -1 } }                                             | bad-duration            |
      | { then: end }                                                         | unknown-task            |
      | { set: { n: 1 }, wait: PT1S }                                         | unknown-task            |
      | { for: { each: n }, do: [ { two: { wait: PT1S } } ] }                 | missing-key             |
      | { for: { each: input, in: .x }, do: [ { two: { wait: PT1S } } ] }     | bad-name                |
      | { for: { in: .x } }                                                   | missing-key             |
      | { fork: { branches: [] } }                                            | bad-value               |
      | { fork: { compete: maybe, branches: [ { two: { wait: PT1S } } ] } }   | bad-type                |
      | { switch: [] }                                                        | empty-list              |
      | { switch: [ { a: { then: end } }, { b: { then: end } } ] }            | two-defaults            |
      | { switch: [ { a: { when: .x } } ] }                                   | missing-key             |
      | { try: [ { two: { wait: PT1S } } ] }                                  | missing-key             |
      | { raise: { error: { title: x } } }                                    | missing-key             |
      | { raise: { error: { type: x, status: bad } } }                        | bad-type                |
      | { emit: { event: { with: { data: 1 } } } }                            | missing-key             |
      | { listen: { to: { one: { with: { type: a } }, any: [] } } }           | bad-value               |
      | { call: http }                                                        | missing-key             |
      | { call: http, with: { method: fetch, endpoint: 'https://x' } }        | bad-value               |
      | { call: http, with: { method: get, endpoint: 'ftp://x' } }            | bad-endpoint            |
      | { call: task, with: { qeue: x, name: y } }                            | unknown-key             |
      | { call: map, with: { in: .x, concurrency: 0, do: [] } }               | bad-value               |
      | { call: loop, with: { do: [ { two: { wait: PT1S } } ] } }             | missing-key             |
      | { call: wait-until, with: { at: tomorrow } }                          | bad-instant             |
      | { wait: PT1S, compensate: [ { two: { wait: PT1S } } ] }               | compensate-outside-saga |
      | { run: { workflow: {} } }                                             | missing-key             |
      | &a { wait: PT1S }                                                     | yaml-feature            |

  Scenario: Two tasks of one name
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: two-tasks-of-one-name, version: '1.0.0' }
    do:
      - one: { wait: PT1S }
      - one: { wait: PT1S }
    """
    When the workflow is checked
    Then the check should find 'duplicate-name' in line 4

  Scenario: A task that nothing leads to
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-task-that-nothing-leads-to, version: '1.0.0' }
    do:
      - one: { wait: PT1S, then: end }
      - two: { wait: PT1S }
    """
    When the workflow is checked
    Then the check should find 'unsound' in line 4

  Scenario: A jump out of a list
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-jump-out-of-a-list, version: '1.0.0' }
    do:
      - one: { wait: PT1S }
      - two:
          do:
            - three: { wait: PT1S, then: one }
    """
    When the workflow is checked
    Then the check should find 'unknown-jump' in line 6

  Scenario: A key that stands twice
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-key-that-stands-twice, version: '1.0.0' }
    do:
      - one:
          set: { n: 1 }
          set: { n: 2 }
    """
    When the workflow is checked
    Then the check should find 'duplicate-key' in line 5

  Scenario: Text that was probably meant as an expression
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: text-that-was-probably-meant-as-an-expression, version: '1.0.0' }
    do:
      - one: { set: { n: .order.total } }
    """
    When the workflow is checked
    Then the check should warn of 'text-not-expression' in line 3

  Scenario: A function that calls itself
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-function-that-calls-itself, version: '1.0.0' }
    use:
      functions:
        f: { call: g }
        g: { do: [ { again: { call: f } } ] }
    do:
      - one: { call: f }
    """
    When the workflow is checked
    Then the check should find 'function-cycle' in line 5

  Scenario: Something that nobody uses
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: something-that-nobody-uses, version: '1.0.0' }
    use:
      functions:
        f: { wait: PT1S }
    do:
      - one: { wait: PT1S }
    """
    When the workflow is checked
    Then the check should warn of 'unused' in line 4

  Scenario Outline: One mistake in the head
    Given a workflow with definition:
    """yaml
    document: { dsl: <dsl>, namespace: <namespace>, name: <name>, version: <version> }
    do:
      - one: { wait: PT1S }
    """
    When the workflow is checked
    Then the check should find '<code>' in line 1

    Examples:
      | dsl     | namespace | name | version | code        |
      | '0.8.0' | default   | a    | '1.0.0' | bad-dsl     |
      | '1.0.3' | my_space  | a    | '1.0.0' | bad-name    |
      | '1.0.3' | default   | -a   | '1.0.0' | bad-name    |
      | '1.0.3' | default   | a    | v1      | bad-version |
      | '1.0.3' | default   | a    | 1.0     | bad-type    |
