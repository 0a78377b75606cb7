// Owns the workflows that the tests play; each is small, and needs nothing but the server.

/** Waits for a signal named `go`, then says what it was given. */
export const WAITS = `
document: {dsl: '1.0.3', namespace: default, name: waits, version: '1.0.0', title: Waits for a word}
do:
  - hear: {listen: {to: {one: {with: {type: go}}}}}
  - tell: {set: {heard: '\${ .[0] }'}}
`;

/** Nobody works on its queue; after a moment it needs help. */
export const PARKS = `
document: {dsl: '1.0.3', namespace: default, name: parks, version: '1.0.0'}
do:
  - work:
      call: task:1.0.0@default
      with: {queue: nobody, name: work, timeouts: {queue: PT0.001S}, exhausted: park}
`;

/** Ends by an error full of markup. */
export const HOSTILE_TEXT = `<img src=x onerror="window.hurt=1"></script><script>window.hurt=2</script>\u202e\u0000"'&{{}}`;

export const FAILS = `
document: {dsl: '1.0.3', namespace: default, name: fails, version: '1.0.0'}
do:
  - break:
      raise:
        error: {type: 'https://example.com/broken', status: 500, title: '\${ .text }', detail: '\${ .text }'}
`;

/** Asks a person. */
export const ASKS = `
document: {dsl: '1.0.3', namespace: default, name: asks, version: '1.0.0'}
do:
  - approve:
      call: human-task:1.0.0@default
      with:
        title: May the tea be bought?
        description: It is **good** tea.
        group: buyers
        outcomes: [approved, denied]
        form:
          schema:
            type: object
            required: [amount]
            properties:
              amount: {type: integer, minimum: 1, title: How many boxes}
              gift: {type: boolean, title: As a gift}
              kind: {type: string, enum: [green, black], title: Which}
  - tell: {set: {decision: '\${ . }'}}
`;
