Feature: Run
  Processes on the machine of the server.

  Scenario: A command of the shell
    Given a server that starts processes
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-command-of-the-shell, version: '1.0.0' }
    do:
      - say: { run: { shell: { command: 'read word; echo "$GREETING $1 $word"', stdin: '${ .word }', arguments: [ dear ], environment: { GREETING: hello } }, return: stdout } }
      - tell: { set: { said: '${ rtrimstr("\n") }' } }
    """
    And the workflow input is:
    """yaml
    { word: "world\n" }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { said: hello dear world }
    """

  Scenario: A script
    Given a server that starts processes
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: default, name: a-script, version: '1.0.0' }
    do:
      - say: { run: { script: { language: js, code: 'let text = ""; for await (const part of process.stdin) text += part; console.log(process.env.GREETING, process.argv.at(-1), text.trim()); process.exitCode = 3;', stdin: world, arguments: [ dear ], environment: { GREETING: hello } }, return: all } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    { code: 3, stdout: "hello dear world\n", stderr: "" }
    """
