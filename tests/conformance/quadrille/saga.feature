Feature: Call saga
  What was done is undone, newest first.

  Scenario: Nothing fails and nothing is undone
    Given a worker that answers 'undo' with its input
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: nothing-fails-and-nothing-is-undone, version: '1.0.0' }
    do:
      - book: { call: saga, with: { do: [ { hotel: { set: { id: h-1 }, compensate: [ { cancelHotel: { call: task, with: { name: undo } } } ] } } ] } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { id: h-1 }
    """
    And the worker should have been given 'undo' 0 times

  Scenario: Completed steps are undone in reverse order
    Given a worker that answers 'undo-hotel' with its input
    And a worker that answers 'undo-flight' with its input
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: completed-steps-are-undone-in-reverse-order, version: '1.0.0' }
    do:
      - book:
          call: saga
          with:
            do:
              - hotel:
                  set: { id: h-1 }
                  compensate: [ { cancelHotel: { call: task, with: { name: undo-hotel } } } ]
              - flight:
                  set: { id: f-1 }
                  compensate: [ { cancelFlight: { call: task, with: { name: undo-flight } } } ]
              - fail: { raise: { error: { type: 'https://example.com/full', status: 409 } } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://example.com/full', instance: /do/0/book/with/do/2/fail }
    """
    And the worker should have been given 'undo-flight', 'undo-hotel' in this order
    And the worker should have been given 'undo-hotel' with:
    """yaml
    { id: h-1 }
    """

  Scenario: The step that failed is not undone
    Given a worker that answers 'undo' with its input
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-step-that-failed-is-not-undone, version: '1.0.0' }
    do:
      - book:
          call: saga
          with:
            do:
              - hotel:
                  raise: { error: { type: 'https://example.com/full', status: 409 } }
                  compensate: [ { cancelHotel: { call: task, with: { name: undo } } } ]
    """
    When the workflow is executed
    Then the workflow should fault
    And the worker should have been given 'undo' 0 times

  Scenario: A run that is cancelled is undone
    Given a worker that answers 'undo' with its input
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-run-that-is-cancelled-is-undone, version: '1.0.0' }
    do:
      - book:
          call: saga
          with:
            do:
              - hotel:
                  set: { id: h-1 }
                  compensate: [ { cancelHotel: { call: task, with: { name: undo } } } ]
              - pause: { wait: { seconds: 30 } }
    """
    When the workflow is started and waits at pause
    And the workflow is cancelled
    Then the workflow should cancel
    And the worker should have been given 'undo' with:
    """yaml
    { id: h-1 }
    """

  Scenario: A run that is terminated is not undone
    Given a worker that answers 'undo' with its input
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-run-that-is-terminated-is-not-undone, version: '1.0.0' }
    do:
      - book:
          call: saga
          with:
            do:
              - hotel:
                  set: { id: h-1 }
                  compensate: [ { cancelHotel: { call: task, with: { name: undo } } } ]
              - pause: { wait: { seconds: 30 } }
    """
    When the workflow is started and waits at pause
    And the workflow is terminated
    Then the workflow should terminate
    And the worker should have been given 'undo' 0 times

  Scenario: What was undone can be caught
    Given a worker that answers 'undo' with its input
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: what-was-undone-can-be-caught, version: '1.0.0' }
    do:
      - guard:
          try:
            - book:
                call: saga
                with:
                  do:
                    - hotel:
                        set: { id: h-1 }
                        compensate: [ { cancelHotel: { call: task, with: { name: undo } } } ]
                    - fail: { raise: { error: { type: 'https://example.com/full', status: 409 } } }
          catch:
            do:
              - mend: { set: { caught: '${ $error.status }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { caught: 409 }
    """
    And the worker should have been given 'undo' 1 times
    And cancelHotel should run before mend
