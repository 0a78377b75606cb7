Feature: Call HTTP
  Services that are asked.

  Scenario: The content is the output
    Given a service that answers 'GET /pets/1' with:
    """yaml
    { body: { id: 1, name: Rex } }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-content-is-the-output, version: '1.0.0' }
    do:
      - ask: { call: http, with: { method: get, endpoint: 'http://service.example/pets/{id}' } }
    """
    And the workflow input is:
    """yaml
    { id: 1 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { id: 1, name: Rex }
    """

  Scenario: Method, body and headers
    Given a service that answers 'POST /pets' with:
    """yaml
    { status: 201, body: { id: 2 } }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: method-body-and-headers, version: '1.0.0' }
    do:
      - ask:
          call: http
          with:
            method: post
            endpoint: { uri: 'http://service.example/pets' }
            headers: { X-Tenant: '${ .tenant }' }
            body: { name: '${ .name }', legs: 4 }
    """
    And the workflow input is:
    """yaml
    { tenant: acme, name: Tom }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { id: 2 }
    """
    And the service should have been asked 'POST /pets' with:
    """yaml
    { headers: { x-tenant: acme, content-type: application/json }, body: { name: Tom, legs: 4 } }
    """

  Scenario: Query parameters
    Given a service that answers 'GET /pets' with:
    """yaml
    { body: [] }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: query-parameters, version: '1.0.0' }
    do:
      - ask: { call: http, with: { method: get, endpoint: 'http://service.example/pets', query: { status: '${ .status }', limit: 5 } } }
    """
    And the workflow input is:
    """yaml
    { status: sold }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    []
    """
    And the service should have been asked 'GET /pets' with:
    """yaml
    { query: { status: sold, limit: '5' } }
    """

  Scenario: The whole response
    Given a service that answers 'GET /pets/1' with:
    """yaml
    { status: 200, headers: { X-Left: '9' }, body: { id: 1 } }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-whole-response, version: '1.0.0' }
    do:
      - ask: { call: http, with: { method: get, endpoint: 'http://service.example/pets/1', output: response } }
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow output should have a 'statusCode' property with value:
    """yaml
    200
    """
    And the workflow output should have a 'content' property with value:
    """yaml
    { id: 1 }
    """
    And the workflow output should have a 'request.method' property with value:
    """yaml
    GET
    """
    And the workflow output should have a 'headers.x-left' property with value:
    """yaml
    '9'
    """

  Scenario: The raw content
    Given a service that answers 'GET /text' with:
    """yaml
    { body: hello }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: the-raw-content, version: '1.0.0' }
    do:
      - ask: { call: http, with: { method: get, endpoint: 'http://service.example/text', output: raw } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    aGVsbG8=
    """

  Scenario: Text is text
    Given a service that answers 'GET /text' with:
    """yaml
    { body: hello }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: text-is-text, version: '1.0.0' }
    do:
      - ask: { call: http, with: { method: get, endpoint: 'http://service.example/text' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    hello
    """

  Scenario Outline: A status that is not well
    Given a service that answers 'GET /pets/1' with:
    """yaml
    { status: <status>, body: { why: not } }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-status-that-is-not-well, version: '1.0.0' }
    do:
      - ask: { call: http, with: { method: get, endpoint: 'http://service.example/pets/1' } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/communication', status: <status>, instance: /do/0/ask }
    """

    Examples:
      | status |
      | 400    |
      | 404    |
      | 500    |
      | 503    |

  Scenario: A redirect is an error unless it is wanted
    Given a service that answers 'GET /old' with:
    """yaml
    { status: 302, headers: { Location: 'http://service.example/new' } }
    """
    And a service that answers 'GET /new' with:
    """yaml
    { body: { new: true } }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-redirect-is-an-error-unless-it-is-wanted, version: '1.0.0' }
    do:
      - guard:
          try:
            - ask: { call: http, with: { method: get, endpoint: 'http://service.example/old' } }
          catch:
            errors: { with: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/communication', status: 302 } }
      - follow: { call: http, with: { method: get, endpoint: 'http://service.example/old', redirect: true } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { new: true }
    """
    And the service should have been asked 'GET /old' 2 times
    And the service should have been asked 'GET /new' 1 times

  Scenario: Basic authentication
    Given a service that answers 'GET /mine' with:
    """yaml
    { body: { ok: true } }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: basic-authentication, version: '1.0.0' }
    do:
      - ask:
          call: http
          with:
            method: get
            endpoint:
              uri: http://service.example/mine
              authentication: { basic: { username: '${ .user }', password: secret } }
    """
    And the workflow input is:
    """yaml
    { user: ada }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { ok: true }
    """
    And the service should have been asked 'GET /mine' with:
    """yaml
    { headers: { authorization: Basic YWRhOnNlY3JldA== } }
    """

  Scenario: A bearer token by a named policy
    Given a service that answers 'GET /mine' with:
    """yaml
    { body: { ok: true } }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-bearer-token-by-a-named-policy, version: '1.0.0' }
    use:
      authentications:
        mine: { bearer: { token: abc } }
    do:
      - ask:
          call: http
          with: { method: get, endpoint: { uri: 'http://service.example/mine', authentication: { use: mine } } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { ok: true }
    """
    And the service should have been asked 'GET /mine' with:
    """yaml
    { headers: { authorization: Bearer abc } }
    """

  Scenario: Tried again until the service is back
    Given a service that answers 'GET /pets/1' with:
    """yaml
    { status: 503 }
    """
    And a service that answers 'GET /pets/1' with:
    """yaml
    { status: 503 }
    """
    And a service that answers 'GET /pets/1' with:
    """yaml
    { body: { id: 1 } }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: tried-again-until-the-service-is-back, version: '1.0.0' }
    do:
      - guard:
          try:
            - ask: { call: http, with: { method: get, endpoint: 'http://service.example/pets/1' } }
          catch:
            errors: { with: { status: 503 } }
            retry: { delay: { milliseconds: 1 }, limit: { attempt: { count: 5 } } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { id: 1 }
    """
    And the service should have been asked 'GET /pets/1' 3 times

  Scenario: A service that never answers is waited for no longer than said
    Given a service that never answers 'GET /slow'
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-service-that-never-answers-is-waited-for-no-longer-than-sa, version: '1.0.0' }
    do:
      - ask:
          call: http
          with: { method: get, endpoint: 'http://service.example/slow' }
          timeout: { after: { milliseconds: 300 } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout', status: 408 }
    """
    And the workflow should take less than 5000 ms

  Scenario: A service that is not there
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-service-that-is-not-there, version: '1.0.0' }
    do:
      - ask: { call: http, with: { method: get, endpoint: 'http://absent.example/' } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/communication' }
    """
