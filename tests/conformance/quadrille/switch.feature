Feature: Switch
  The first case that holds says where to go.

  Scenario: The first of several that hold
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-first-of-several-that-hold, version: '1.0.0' }
    do:
      - choose:
          switch:
            - small: { when: '.n > 0', then: one }
            - large: { when: '.n > 10', then: two }
      - one: { set: { went: one }, then: end }
      - two: { set: { went: two }, then: end }
    """
    And the workflow input is:
    """yaml
    { n: 100 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { went: one }
    """
    And two should not run

  Scenario: The default counts last wherever it stands
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-default-counts-last-wherever-it-stands, version: '1.0.0' }
    do:
      - choose:
          switch:
            - otherwise: { then: two }
            - small: { when: '.n < 10', then: one }
      - one: { set: { went: one }, then: end }
      - two: { set: { went: two }, then: end }
    """
    And the workflow input is:
    """yaml
    { n: 1 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { went: one }
    """

  Scenario: No case and no default goes on
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: no-case-and-no-default-goes-on, version: '1.0.0' }
    do:
      - choose:
          switch:
            - never: { when: '${ false }', then: two }
      - one: { set: { went: one }, then: end }
      - two: { set: { went: two } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { went: one }
    """

  Scenario: A case may end the workflow
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-case-may-end-the-workflow, version: '1.0.0' }
    do:
      - choose:
          switch:
            - stop: { when: '.n == 1', then: end }
      - one: { set: { went: one } }
    """
    And the workflow input is:
    """yaml
    { n: 1 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 1 }
    """
    And one should not run

  Scenario: A case may end its list
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-case-may-end-its-list, version: '1.0.0' }
    do:
      - outer:
          do:
            - choose:
                switch:
                  - leave: { when: '.n == 1', then: exit }
            - inner: { set: { n: 2 } }
      - after: { set: { n: '${ .n }', after: true } }
    """
    And the workflow input is:
    """yaml
    { n: 1 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 1, after: true }
    """
    And inner should not run

  Scenario: A case may go back
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-case-may-go-back, version: '1.0.0' }
    do:
      - add: { set: { n: '${ .n + 1 }' } }
      - again:
          switch:
            - more: { when: '.n < 3', then: add }
    """
    And the workflow input is:
    """yaml
    { n: 0 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { n: 3 }
    """
    And add should run 3 times

  Scenario: Cases see the transformed input and the context
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: cases-see-the-transformed-input-and-the-context, version: '1.0.0' }
    do:
      - one: { set: { n: 1 }, export: { as: '${ { go: true } }' } }
      - choose:
          input: { from: .n }
          switch:
            - right: { when: '. == 1 and $context.go', then: two }
      - never: { set: { went: never }, then: end }
      - two: { set: { went: two } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { went: two }
    """

  Scenario: A condition that is not a boolean
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-condition-that-is-not-a-boolean, version: '1.0.0' }
    do:
      - choose:
          switch:
            - set: { when: .name, then: named }
      - nameless: { set: { named: false }, then: end }
      - named: { set: { named: true } }
    """
    And the workflow input is:
    """yaml
    { name: Ada }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { named: true }
    """
