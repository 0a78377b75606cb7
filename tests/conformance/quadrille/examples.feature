Feature: The own examples of the specification
  Those that run as they stand and need nothing but the stand-ins.

  Scenario: Conditional task, under age
    Given the workflow of the example 'conditional-task'
    And the workflow input is:
    """yaml
    { customer: { age: 17 } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://superbet-casinos.com/customer/access-forbidden', status: 400, title: Access Forbidden, instance: /do/0/raiseErrorIfUnderage }
    """

  Scenario Outline: A pet by its number
    Given the workflow of the example '<name>'
    And the workflow input is:
    """yaml
    { petId: 2 }
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow output should have a 'id' property with value:
    """yaml
    2
    """

    Examples:
      | name                                     |
      | do-single                                |
      | call-http-endpoint-interpolation         |
      | call-http-endpoint-interpolation-shorthand |

  Scenario: Pets through a described interface
    Given the workflow of the example 'call-openapi'
    When the workflow is executed
    Then the workflow should complete
    And the workflow output should have a '0.status' property with value:
    """yaml
    available
    """

  Scenario: An inline function whose pet is not there
    Given the workflow of the example 'call-custom-function-inline'
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/communication', status: 404 }
    """

  Scenario: Caught, told, and passed over
    Given the workflow of the example 'try-catch-then'
    And the workflow input is:
    """yaml
    { petId: 77 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { error: $error }
    """
    And notifySupport should complete
    And notifySupport should run before setError

  Scenario: Caught
    Given the workflow of the example 'try-catch'
    And the workflow input is:
    """yaml
    { petId: 77 }
    """
    When the workflow is executed
    Then the workflow should complete

  Scenario Outline: An error that says which workflow it is of
    Given the workflow of the example '<name>'
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/errors/not-implemented', status: 500, title: Not Implemented, detail: "The workflow 'raise-not-implemented:0.1.0' is a work in progress and cannot be run yet" }
    """

    Examples:
      | name           |
      | raise-inline   |
      | raise-reusable |

  Scenario Outline: Switch
    Given the workflow of the example 'switch-then-string'
    And the workflow input is:
    """yaml
    { orderType: <kind> }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    <output>
    """

    Examples:
      | kind       | output                                          |
      | electronic | { validate: true, status: fulfilled }           |
      | physical   | { inventory: clear, items: 1, address: Elmer St } |
      | unknown    | { log: warn, message: something's wrong }       |

  Scenario: Emit
    Given the workflow of the example 'emit'
    When the workflow is executed
    Then the workflow should complete
    And the workflow output should have a 'type' property with value:
    """yaml
    com.petstore.order.placed.v1
    """
    And the workflow output should have a 'data.items' property containing 1 items

  Scenario: Listen to any of two
    Given the workflow of the example 'listen-to-any-filter'
    When the workflow is started and waits at callDoctor
    And the event is published:
    """yaml
    { type: com.fake-hospital.vitals.measurements.bpm, source: /a, data: { bpm: 80 } }
    """
    And the event is published:
    """yaml
    { type: com.fake-hospital.vitals.measurements.bpm, source: /a, data: { bpm: 120 } }
    """
    Then the workflow should complete with output:
    """yaml
    [ { bpm: 120 } ]
    """

  Scenario: Listen to both
    Given the workflow of the example 'listen-to-all'
    When the workflow is started and waits at callDoctor
    And the event is published:
    """yaml
    { type: com.fake-hospital.vitals.measurements.bpm, source: /a, data: { bpm: 120 } }
    """
    And the event is published:
    """yaml
    { type: com.fake-hospital.vitals.measurements.temperature, source: /a, data: { temperature: 39 } }
    """
    Then the workflow should complete
    And the workflow output should have properties '0', '1'

  Scenario: Listen to both and keep the envelopes
    Given the workflow of the example 'listen-to-all read-envelope'
    When the workflow is started and waits at callDoctor
    And the event is published:
    """yaml
    { type: com.fake-hospital.vitals.measurements.bpm, source: /a, data: { bpm: 120 } }
    """
    And the event is published:
    """yaml
    { type: com.fake-hospital.vitals.measurements.temperature, source: /a, data: { temperature: 39 } }
    """
    Then the workflow should complete
    And the workflow output should have properties '0.type', '1.type', '0.source', '1.source'

  Scenario: Listen until the patient has left
    Given the workflow of the example 'listen-to-any-until-consumed'
    When the workflow is started and waits at callDoctor
    And the event is published:
    """yaml
    { type: com.fake-hospital.vitals.measurements.bpm, source: /a, data: { bpm: 120 } }
    """
    And the event is published:
    """yaml
    { type: com.fake-hospital.vitals.measurements.bpm, source: /a, data: { bpm: 80 } }
    """
    And the event is published:
    """yaml
    { type: com.fake-hospital.patient.checked-out, source: /a }
    """
    Then the workflow should complete with output:
    """yaml
    [ { bpm: 120 } ]
    """

  Scenario: A subflow
    Given another workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: test, name: register-customer, version: '0.1.0' }
    do:
      - register: { set: { registered: true } }
    """
    And the workflow of the example 'run-subflow'
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { registered: true }
    """

  Scenario: Started by an event
    Given the workflow of the example 'set'
    When the workflow is applied
    And the event is published:
    """yaml
    { type: io.serverlessworkflow.samples.events.trigger.v1, source: /a, data: 1 }
    """
    Then at least 1 runs should complete
