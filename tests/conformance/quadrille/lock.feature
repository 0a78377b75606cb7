Feature: Lock and concurrency
  What may not go on at once.

  Scenario: Branches take a lock by turns
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: branches-take-a-lock-by-turns, version: '1.0.0' }
    do:
      - both:
          fork:
            branches:
              - left:
                  call: lock
                  with:
                    name: till
                    do:
                      - enter-left: { wait: { milliseconds: 50 } }
                      - leave-left: { set: { side: left } }
              - right:
                  call: lock
                  with:
                    name: till
                    do:
                      - enter-right: { set: { side: right } }
    """
    When the workflow is executed
    Then the workflow should complete
    And enter-left, leave-left, enter-right should run in this order

  Scenario: Locks of other names do not wait for each other
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: locks-of-other-names, version: '1.0.0' }
    do:
      - both:
          fork:
            branches:
              - left:
                  call: lock
                  with:
                    name: '${ .first }'
                    do:
                      - enter-left: { wait: { milliseconds: 200 } }
                      - leave-left: { set: { side: left } }
              - right:
                  call: lock
                  with:
                    name: '${ .second }'
                    do:
                      - enter-right: { set: { side: right } }
    """
    And the workflow input is:
    """yaml
    { first: till, second: door }
    """
    When the workflow is executed
    Then the workflow should complete
    And enter-left, enter-right, leave-left should run in this order

  Scenario: A lock of the workflow is held over a crash
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: held-over-a-crash, version: '1.0.0' }
    do:
      - section:
          call: lock
          with:
            name: till
            scope: workflow
            do:
              - inside: { listen: { to: { one: { with: { type: go } } } } }
    """
    When the workflow is started and waits at inside
    And the workflow is started and waits at section
    And the runtime crashes and starts again
    And the event is published:
    """yaml
    { type: go, source: '/scenario', id: '1' }
    """
    And the workflow waits at inside
    And the event is published:
    """yaml
    { type: go, source: '/scenario', id: '2' }
    """
    Then the workflow should complete
    And at least 2 runs should complete

  Scenario: A failure lets go of the lock
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-failure-lets-go, version: '1.0.0' }
    do:
      - attempt:
          try:
            - section:
                call: lock
                with:
                  name: till
                  do:
                    - fails: { raise: { error: { type: 'https://example.com/no', status: 400 } } }
          catch:
            do:
              - again:
                  call: lock
                  with:
                    name: till
                    do:
                      - inside: { set: { done: true } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { done: true }
    """

  Scenario: Runs of one key go on one after the other
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: one-after-the-other
      version: '1.0.0'
      metadata:
        dev.quadrille/concurrency: { key: .door }
    do:
      - pause: { wait: { milliseconds: 600 } }
    """
    And the workflow input is:
    """yaml
    { door: red }
    """
    When the workflow is started
    And the workflow is started
    Then the workflow should stand as 'waiting'
    And the workflow should take at least 700 ms
    And at least 2 runs should complete

  Scenario: A priority out of its range
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: more-urgent-work, version: '1.0.0' }
    do:
      - urgent: { call: task, with: { name: work, priority: 11 } }
    """
    When the workflow is checked
    Then the check should find 'bad-value' in line 3
