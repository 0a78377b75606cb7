Feature: Call MCP
  Tools of servers that speak the Model Context Protocol.

  Scenario: A tool is called in a session
    Given a service that answers 'POST /mcp' with:
    """yaml
    { headers: { Mcp-Session-Id: s-1 }, body: { jsonrpc: '2.0', id: 1, result: { protocolVersion: '2025-06-18', capabilities: {} } } }
    """
    And a service that answers 'POST /mcp' with:
    """yaml
    { status: 202 }
    """
    And a service that answers 'POST /mcp' with:
    """yaml
    { body: { jsonrpc: '2.0', id: 2, result: { content: [], structuredContent: { sum: 3 } } } }
    """
    And a service that answers 'DELETE /mcp' with:
    """yaml
    { status: 204 }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-tool-is-called, version: '1.0.0' }
    do:
      - add:
          call: mcp
          with:
            method: tools/call
            parameters: { name: add, arguments: { a: '${ .a }', b: 2 } }
            transport: { http: { endpoint: 'http://service.example/mcp', headers: { X-Tenant: acme } } }
          output: { as: .structuredContent }
    """
    And the workflow input is:
    """yaml
    { a: 1 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { sum: 3 }
    """
    And the service should have been asked 'POST /mcp' 3 times
    And the service should have been asked 'POST /mcp' with:
    """yaml
    headers: { mcp-session-id: s-1, mcp-protocol-version: '2025-06-18', x-tenant: acme }
    body: { jsonrpc: '2.0', id: 2, method: tools/call, params: { name: add, arguments: { a: 1, b: 2 } } }
    """
    And the service should have been asked 'DELETE /mcp' 1 times

  Scenario: What a tool says to have failed is caught
    Given a service that answers 'POST /mcp' with:
    """yaml
    { body: { jsonrpc: '2.0', id: 1, result: { protocolVersion: '2025-06-18', capabilities: {} } } }
    """
    And a service that answers 'POST /mcp' with:
    """yaml
    { status: 202 }
    """
    And a service that answers 'POST /mcp' with:
    """yaml
    { body: { jsonrpc: '2.0', id: 2, result: { isError: true, content: [{ type: text, text: no such city }] } } }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-tool-fails, version: '1.0.0' }
    do:
      - ask:
          try:
            - weather:
                call: mcp
                with:
                  method: tools/call
                  parameters: { name: weather }
                  transport: { http: { endpoint: 'http://service.example/mcp' } }
          catch:
            errors: { with: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/runtime' } }
            as: error
            do:
              - tell: { set: { title: '${ $error.title }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { title: The tool failed }
    """

  Scenario: A process is closed unless the server allows it
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-process-is-closed, version: '1.0.0' }
    do:
      - list: { call: mcp, with: { method: tools/list, transport: { stdio: { command: node } } } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/authorization', status: 403 }
    """
