Feature: Functions
  Tasks that have a name and are called.

  Scenario: A function gets what it is called with
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-function-gets-what-it-is-called-with, version: '1.0.0' }
    use:
      functions:
        greet: { set: { says: '${ "Hello, \(.name)!" }' } }
    do:
      - call-it: { call: greet, with: { name: '${ .who }' } }
    """
    And the workflow input is:
    """yaml
    { who: Ada }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { says: 'Hello, Ada!' }
    """

  Scenario: A function of several tasks
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-function-of-several-tasks, version: '1.0.0' }
    use:
      functions:
        twice:
          do:
            - one: { set: { n: '${ .n * 2 }' } }
            - two: { set: { n: '${ .n + 1 }' } }
    do:
      - call-it: { call: twice, with: { n: 20 } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 41 }
    """

  Scenario: A function that calls another
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-function-that-calls-another, version: '1.0.0' }
    use:
      functions:
        outer: { call: inner, with: { n: '${ .n + 1 }' } }
        inner: { set: { n: '${ .n * 10 }' } }
    do:
      - call-it: { call: outer, with: { n: 1 } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 20 }
    """

  Scenario: A failure in a function can be caught
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-failure-in-a-function-can-be-caught, version: '1.0.0' }
    use:
      functions:
        fail: { raise: { error: { type: 'https://example.com/bad', status: 400 } } }
    do:
      - guard:
          try:
            - call-it: { call: fail }
          catch:
            do:
              - mend: { set: { caught: '${ $error.type }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { caught: 'https://example.com/bad' }
    """

  Scenario: A function does not see the variables of its caller
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-function-does-not-see-the-variables-of-its-caller, version: '1.0.0' }
    use:
      functions:
        see: { set: { n: '${ $item }' } }
    do:
      - rounds:
          for: { in: '${ [1] }' }
          do:
            - call-it: { call: see }
    """
    When the workflow is checked
    Then the check should find 'bad-expression' in line 4
