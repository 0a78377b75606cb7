//! What each construct of the language becomes, as a listing of the graph.
//!
//! A listing has one line for each body and each node: `name: what it does -> where to`. Expressions stand
//! in `${ }`, other values as JSON.

#[path = "listing/words.rs"]
mod words;

use graph::ir::{Body, Case, Kind, Need, Next, Node, Retry, Wait};
use graph::{BodyIndex, Delay, Expr, Graph, NodeIndex, Template};
use insta::assert_snapshot;
use quadrille_authoring::compile;
use words::{caught, enough, events, worker_task};

/// The listing of a document's graph.
fn listing(text: &str) -> String {
    match compile(text) {
        Ok(compiled) => {
            let mut out = Listing {
                graph: &compiled.graph,
                out: String::new(),
            }
            .whole();
            if let Some(schedule) = compiled.schedule {
                out.push_str(&format!("schedule {schedule:?}\n"));
            }
            out
        }
        Err(findings) => findings
            .iter()
            .map(|finding| format!("{finding}\n"))
            .collect(),
    }
}

/// The listing of a document with these tasks, without its head.
fn tasks(list: &str) -> String {
    let listing = listing(&format!(
        "document: {{dsl: '1.0.3', namespace: default, name: test, version: '1.0.0'}}\ndo:\n{list}"
    ));
    listing
        .strip_prefix("workflow test 1.0.0\n")
        .map(String::from)
        .unwrap_or(listing)
}

struct Listing<'g> {
    graph: &'g Graph,
    out: String,
}

impl Listing<'_> {
    fn whole(mut self) -> String {
        let graph = self.graph;
        self.out
            .push_str(&format!("workflow {} {}\n", graph.workflow, graph.version));
        for (name, value) in [("input", &graph.input), ("output", &graph.output)] {
            if let Some(value) = value {
                self.out.push_str(&format!("{name} {}\n", template(value)));
            }
        }
        if let Some(timeout) = &graph.timeout {
            self.out.push_str(&format!("timeout {}\n", delay(timeout)));
        }
        if let Some(ms) = graph.retention_ms {
            self.out.push_str(&format!("retention {ms}ms\n"));
        }
        for (name, value) in &graph.labels {
            self.out.push_str(&format!("label {name}={value}\n"));
        }
        for attribute in &graph.attributes {
            self.out.push_str(&format!(
                "attribute {} {:?} {}\n",
                attribute.name,
                attribute.kind,
                expr(&attribute.from)
            ));
        }
        self.body(BodyIndex(0), 0);
        self.out
    }

    fn body(&mut self, index: BodyIndex, depth: usize) {
        let body: &Body = &self.graph.bodies[index.0 as usize];
        let first = body
            .first
            .map_or("nothing".into(), |first| self.name(first));
        self.out
            .push_str(&format!("{:depth$}[{} from {first}]\n", "", body.path));
        for node in self.graph.nodes.iter().filter(|node| node.body == index) {
            self.node(node, depth + 2);
        }
    }

    fn name(&self, index: NodeIndex) -> String {
        let node = &self.graph.nodes[index.0 as usize];
        let twins = self
            .graph
            .nodes
            .iter()
            .filter(|other| other.body == node.body && other.name == node.name)
            .count();
        if twins > 1 {
            format!("{}#{}", node.name, index.0)
        } else {
            node.name.to_string()
        }
    }

    fn node(&mut self, node: &Node, depth: usize) {
        let mut line = format!("{}: {}", node.name, self.kind(&node.kind));
        for (word, value) in [("if", node.when.as_ref().map(expr))]
            .into_iter()
            .chain([
                ("input", node.input.as_ref().map(template)),
                ("output", node.output.as_ref().map(template)),
            ])
            .chain([
                ("export", node.export.as_ref().map(template)),
                ("timeout", node.timeout.as_ref().map(delay)),
            ])
        {
            if let Some(value) = value {
                line.push_str(&format!(", {word} {value}"));
            }
        }
        self.out.push_str(&format!(
            "{:depth$}{line} -> {}\n",
            "",
            self.next(node.next)
        ));
        for (word, body) in bodies(node) {
            self.out.push_str(&format!("{:1$}{word}\n", "", depth + 2));
            self.body(body, depth + 4);
        }
    }

    fn next(&self, next: Next) -> String {
        match next {
            Next::Node(node) => self.name(node),
            Next::Exit => "exit".into(),
            Next::End => "end".into(),
        }
    }

    fn cases(&self, cases: &[Case]) -> String {
        let case = |case: &Case| {
            format!(
                "{} -> {}",
                case.when.as_ref().map_or("else".into(), expr),
                self.next(case.next)
            )
        };
        cases.iter().map(case).collect::<Vec<_>>().join(", ")
    }

    fn kind(&self, kind: &Kind) -> String {
        match kind {
            Kind::Task(task) => worker_task(task),
            Kind::Set(value) => format!("set {}", template(value)),
            Kind::Switch(cases) => format!("switch {}", self.cases(cases)),
            Kind::Do(_) => "do".into(),
            Kind::Loop(repeat) => format!(
                "loop at most {} while {} until {}",
                repeat.rounds_max,
                repeat.repeat_while.as_ref().map_or("-".into(), expr),
                repeat.repeat_until.as_ref().map_or("-".into(), expr)
            ),
            Kind::ForEach(each) => format!(
                "for ${}, ${} in {} while {}, {} at once{}{}",
                each.each,
                each.at,
                expr(&each.items),
                each.repeat_while.as_ref().map_or("-".into(), expr),
                each.concurrency,
                if each.collect { ", collect" } else { "" },
                enough(each)
            ),
            Kind::Fork(fork) => format!(
                "fork {} losers {:?}{}",
                need(fork.need),
                fork.losers,
                if fork.first { ", first" } else { "" }
            ),
            Kind::Try(_) => "try".into(),
            Kind::Saga(_) => "saga".into(),
            Kind::Raise(error) => format!("raise {}", template(error)),
            Kind::Wait(Wait::For(time)) => format!("wait {}", delay(time)),
            Kind::Wait(Wait::Until(instant)) => format!("wait until {}", template(instant)),
            Kind::Listen(listen) => events(listen),
            Kind::Emit(event) => format!("emit {}", template(event)),
            Kind::Child(child) => format!(
                "{} {} version {} key {} with {}",
                if child.detach { "detach" } else { "child" },
                template(&child.workflow),
                child.version.as_ref().map_or("latest".into(), template),
                child.key.as_ref().map_or("-".into(), template),
                template(&child.input)
            ),
            Kind::Human(human) => format!("{human:?}"),
            Kind::Lock(lock) => format!(
                "lock {} in {:?}, {} at once",
                template(&lock.name),
                lock.scope,
                lock.limit
            ),
            Kind::Split(_)
            | Kind::Threads(_)
            | Kind::Join(_)
            | Kind::Merge
            | Kind::Withdraw(_)
            | Kind::Milestone(_) => "not written by this language".into(),
        }
    }
}

fn bodies(node: &Node) -> Vec<(String, BodyIndex)> {
    let mut bodies = match &node.kind {
        Kind::Do(body) | Kind::Saga(body) => vec![("does".into(), *body)],
        Kind::Loop(repeat) => vec![("repeats".into(), repeat.body)],
        Kind::ForEach(each) => vec![("repeats".into(), each.body)],
        Kind::Lock(lock) => vec![("keeps to itself".into(), lock.body)],
        Kind::Fork(fork) => fork
            .branches
            .iter()
            .map(|branch| ("branch".into(), *branch))
            .collect(),
        Kind::Listen(listen) => {
            let each = listen.each.iter();
            each.map(|each| (format!("each ${}", each.each), each.body))
                .collect()
        }
        Kind::Try(body) => {
            let mut bodies = vec![(
                format!("tries{}", body.catch.as_ref().map_or(String::new(), caught)),
                body.body,
            )];
            bodies.extend(
                body.catch
                    .as_ref()
                    .and_then(|catch| catch.body)
                    .map(|body| ("catches".into(), body)),
            );
            bodies.extend(body.finally.map(|body| ("finally".into(), body)));
            bodies
        }
        _ => vec![],
    };
    bodies.extend(node.undo.map(|body| ("undo".into(), body)));
    bodies
}

fn retry(retry: &Retry) -> String {
    let mut text = format!("retry after {} {:?}", delay(&retry.delay), retry.backoff);
    if let Some(ms) = retry.delay_max_ms {
        text += &format!(" up to {ms}ms");
    }
    if let Some((from, to)) = retry.jitter_ms {
        text += &format!(" jitter {from}..{to}ms");
    }
    if let Some(count) = retry.attempts_max {
        text += &format!(" {count} attempts");
    }
    if let Some(ms) = retry.duration_max_ms {
        text += &format!(" within {ms}ms");
    }
    for kind in &retry.fatal_types {
        text += &format!(" not {kind}");
    }
    if let Some(when) = &retry.when {
        text += &format!(" when {}", expr(when));
    }
    if let Some(when) = &retry.except_when {
        text += &format!(" except when {}", expr(when));
    }
    text
}

fn need(need: Need) -> String {
    match need {
        Need::All => "all".into(),
        Need::Count(count) => format!("any {count}"),
    }
}

fn delay(delay: &Delay) -> String {
    match delay {
        Delay::Ms(ms) => format!("{ms}ms"),
        Delay::Computed(value) => template(value),
    }
}

fn expr(expr: &Expr) -> String {
    format!("${{ {} }}", expr.0)
}

fn template(value: &Template) -> String {
    match value {
        Template::Literal(value) => value.to_json(),
        Template::Expr(source) => expr(source),
        Template::Array(elements) => format!(
            "[{}]",
            elements.iter().map(template).collect::<Vec<_>>().join(",")
        ),
        Template::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(key, value)| format!("{key}:{}", template(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

#[test]
fn documents() {
    assert_snapshot!(
        listing(
            r#"
document:
  dsl: '1.0.3'
  namespace: shop
  name: order
  version: '2.1.0'
  title: Orders
  tags: {team: blue, tier: 1}
  metadata:
    retention: P7D
    attributes: {orderTotal: {type: number, from: "${ .total }"}}
    anything: [else]
input: {from: .order}
output: {as: {id: "${ .id }", ok: true}}
timeout: {after: {hours: 1}}
schedule: {cron: 0 6 * * MON-FRI}
evaluate: {language: jq, mode: strict}
do:
  - on: {set: {on: yes, no: off, v: 1.50, t: ~}}
"#
        ),
        @r#"
    workflow shop/order 2.1.0
    input ${ .order }
    output {id:${ .id },ok:true}
    timeout 3600000ms
    retention 604800000ms
    label team=blue
    label tier=1
    attribute orderTotal Number ${ .total }
    [/do from on]
      on: set {"no":"off","on":"yes","t":null,"v":1.5} -> exit
    schedule Schedule { pace: Cron("0 6 * * MON-FRI"), zone: None, from_ms: None, until_ms: None, overlap: None, catch_up: None }
    "#
    );
    assert_snapshot!(
        listing(r#"{"document": {"dsl": "1.0.0", "namespace": "default", "name": "json", "version": "1.0.0"}, "do": [], "schedule": {"every": "PT15M"}}"#),
        @r"
    workflow json 1.0.0
    [/do from nothing]
    schedule Schedule { pace: Every(900000), zone: None, from_ms: None, until_ms: None, overlap: None, catch_up: None }
    "
    );
}

#[test]
fn common_members() {
    assert_snapshot!(
        tasks(
            r#"
- a: {set: {x: 1}, if: .go, input: {from: .in}, output: {as: '${ .out }'}, export: {as: {kept: '${ . }'}}, timeout: {after: PT5S}, metadata: {x: 1}}
- b: {set: '${ .whole }', timeout: {after: '${ .seconds * 1000 }'}}
"#
        ),
        @r#"
    [/do from a]
      a: set {"x":1}, if ${ .go }, input ${ .in }, output ${ .out }, export {kept:${ . }}, timeout 5000ms -> b
      b: set ${ .whole }, timeout ${ .seconds * 1000 } -> exit
    "#
    );
}

#[test]
fn jumps() {
    assert_snapshot!(
        tasks(
            r#"
- pick:
    switch:
      - default: {then: exit}
      - big: {when: .n > 9, then: again}
      - small: {when: '${ .n < 3 }', then: continue}
- again: {set: {n: 1}, if: .n > 0, then: pick}
- last: {do: [x: {wait: PT1S}, y: {wait: PT1S, then: end}]}
"#
        ),
        @r#"
    [/do from pick]
      pick: switch ${ .n > 9 } -> again#1, ${ .n < 3 } -> again#1, else -> exit -> again#1
      again: switch ${ .n > 0 } -> again#2 -> last
      again: set {"n":1} -> pick
      last: do -> exit
        does
          [/do/2/last/do from x]
            x: wait 1000ms -> y
            y: wait 1000ms -> end
    "#
    );
}

#[test]
fn repetition() {
    assert_snapshot!(
        tasks(
            r#"
- one: {for: {in: .list}, while: $index < 3, do: [x: {set: {y: '${ $item }'}}]}
- two: {for: {each: n, at: i, in: [1, '${ .two }', {a: b}]}, do: []}
- three: {call: map, with: {in: .list, each: n, concurrency: 50, do: [x: {wait: {seconds: 1}}]}}
- four: {call: 'loop:1.0.0@default', with: {do: [x: {wait: PT1S}], until: .done, max: 5}}
"#
        ),
        @r#"
    [/do from one]
      one: for $item, $index in ${ .list } while ${ $index < 3 }, 1 at once -> two
        repeats
          [/do/0/one/do from x]
            x: set {y:${ $item }} -> exit
      two: for $n, $i in ${ [1,(.two),{"a":"b"}] } while -, 1 at once -> three
        repeats
          [/do/1/two/do from nothing]
      three: for $n, $index in ${ .list } while -, 50 at once, collect -> four
        repeats
          [/do/2/three/with/do from x]
            x: wait 1000ms -> exit
      four: loop at most 5 while - until ${ .done } -> exit
        repeats
          [/do/3/four/with/do from x]
            x: wait 1000ms -> exit
    "#
    );
}

#[test]
fn forks() {
    assert_snapshot!(
        tasks(
            r#"
- both: {fork: {branches: [a: {wait: PT1S}, b: {wait: PT2S}]}}
- first: {fork: {compete: true, branches: [a: {wait: PT1S}]}}
- some: {call: race, with: {need: 2, losers: leave, branches: [a: {wait: PT1S}, b: {wait: PT2S}, c: {wait: PT3S}]}}
"#
        ),
        @r#"
    [/do from both]
      both: fork all losers Cancel -> first
        branch
          [/do/0/both/fork/branches/0 from a]
            a: wait 1000ms -> exit
        branch
          [/do/0/both/fork/branches/1 from b]
            b: wait 2000ms -> exit
      first: fork any 1 losers Cancel, first -> some
        branch
          [/do/1/first/fork/branches/0 from a]
            a: wait 1000ms -> exit
      some: fork any 2 losers Leave -> exit
        branch
          [/do/2/some/with/branches/0 from a]
            a: wait 1000ms -> exit
        branch
          [/do/2/some/with/branches/1 from b]
            b: wait 2000ms -> exit
        branch
          [/do/2/some/with/branches/2 from c]
            c: wait 3000ms -> exit
    "#
    );
}

#[test]
fn failures() {
    assert_snapshot!(
        listing(
            r#"
document: {dsl: '1.0.3', namespace: default, name: test, version: '1.0.0'}
use:
  errors: {gone: {type: 'https://example.com/gone', status: 410, detail: '${ .why }'}}
  retries: {often: {delay: PT3S, backoff: {exponential: {}}, limit: {attempt: {count: 5}, duration: PT1M}, jitter: {from: PT0S, to: PT1S}}}
do:
  - a:
      try: [x: {raise: {error: gone}}]
      catch:
        errors: {with: {type: communication, status: 503}}
        as: e
        when: $e.status > 500
        retry: often
        do: [y: {set: {error: '${ $e }'}}]
        then: c
  - b: {try: [], catch: {retry: {delay: {seconds: 1}, backoff: {linear: {}}, exceptWhen: $error.status == 400}}}
  - c: {raise: {error: {type: 'https://example.com/x', status: '${ .status }'}}}
  - d: {call: finally, with: {do: [x: {wait: PT1S}], finally: [y: {wait: PT2S}]}}
"#
        ),
        @r#"
    workflow test 1.0.0
    [/do from a]
      a: try -> b
        tries, catching $e type="communication" status=503 when ${ $e.status > 500 }, retry after 3000ms Exponential(2.0) jitter 0..1000ms 5 attempts within 60000ms, then Node(NodeIndex(2))
          [/do/0/a/try from x]
            x: raise {type:"https://example.com/gone",status:410,detail:${ .why }} -> exit
        catches
          [/do/0/a/catch/do from y]
            y: set {error:${ $e }} -> exit
      b: try -> c
        tries, catching $error, retry after 1000ms Linear except when ${ $error.status == 400 }
          [/do/1/b/try from nothing]
      c: raise {type:"https://example.com/x",status:${ .status }} -> d
      d: try -> exit
        tries
          [/do/3/d/with/do from x]
            x: wait 1000ms -> exit
        finally
          [/do/3/d/with/finally from y]
            y: wait 2000ms -> exit
    "#
    );
}

#[test]
fn sagas() {
    assert_snapshot!(
        tasks(
            r#"
- order:
    call: saga
    with:
      do:
        - reserve:
            call: task
            with: {name: reserve, queue: stock}
            compensate: [release: {call: task, with: {name: release, input: '${ .id }'}}]
        - nested: {do: [pay: {call: task, with: {name: pay}, compensate: []}]}
"#
        ),
        @r#"
    [/do from order]
      order: saga -> exit
        does
          [/do/0/order/with/do from reserve]
            reserve: task "reserve" on "stock" with ${ . } -> nested
              undo
                [/do/0/order/with/do/0/reserve/compensate from release]
                  release: task "release" on "default" with ${ .id } -> exit
            nested: do -> exit
              does
                [/do/0/order/with/do/1/nested/do from pay]
                  pay: task "pay" on "default" with ${ . } -> exit
                    undo
                      [/do/0/order/with/do/1/nested/do/0/pay/compensate from nothing]
    "#
    );
}

#[test]
fn time() {
    assert_snapshot!(
        tasks(
            r#"
- a: {wait: {days: 1, minutes: 5}}
- b: {wait: '${ .pause }'}
- c: {wait: {seconds: '${ .n }'}}
- d: {call: wait-until, with: {at: '2030-01-31T09:00:00+01:00'}}
- e: {call: wait-until, with: {at: '${ .due }'}}
"#
        ),
        @r#"
    [/do from a]
      a: wait 86700000ms -> b
      b: wait ${ .pause } -> c
      c: wait {seconds:${ .n }} -> d
      d: wait until "2030-01-31T09:00:00+01:00" -> e
      e: wait until ${ .due } -> exit
    "#
    );
}

#[test]
fn listening_and_emitting() {
    assert_snapshot!(
        tasks(
            r#"
- a: {listen: {to: {one: {with: {type: paid, source: 'https://bank', data: '${ .amount > 10 }'}, correlate: {order: {from: .data.order, expect: '${ .id }'}}}}}}
- b: {listen: {to: {any: [{with: {type: x, data: {a: 1}}}, {with: {type: y, subject: '${ .who }'}}]}, read: envelope}}
- c: {listen: {to: {all: [{with: {type: x}}, {with: {type: y}}]}, read: data}}
- ever:
    listen: {to: {any: [{with: {source: 'https://us'}}], until: '${ false }'}}
    foreach: {item: event, at: i, output: {as: .done}, export: {as: '$context + 1'}, do: [e: {set: '${ $event }'}]}
- ended: {listen: {to: {any: [{with: {type: x}, correlate: {order: {from: .data.order}}}], until: {one: {with: {type: end}}}}}}
- d: {emit: {event: {with: {type: done, source: 'https://us', data: {id: '${ .id }'}}}}}
"#
        ),
        @r#"
    [/do from a]
      a: listen any 1, paid source="https://bank" when ${ .data | (.amount > 10) } ${ .data.order }=${ .id } -> b
      b: listen any 1, envelope, x data={"a":1}, y subject=${ .who } -> c
      c: listen all, x, y -> ever
      ever: listen any 1 until Never,  source="https://us" -> ended
        each $event
          [/do/3/ever/foreach from foreach]
            foreach: do, output ${ .done }, export ${ $context + 1 } -> exit
              does
                [/do/3/ever/foreach/do from e]
                  e: set ${ $event } -> exit
      ended: listen any 1 until Events { filters: [Filter { event_type: "end", with: [], when: None, correlate: [], bind: [], transient: false }], need: Count(1) }, x order:${ .data.order } -> d
      d: emit {type:"done",source:"https://us",data:{id:${ .id }}} -> exit
    "#
    );
}

#[test]
fn tasks_of_workers() {
    assert_snapshot!(
        tasks(
            r#"
- a: {call: task, with: {name: charge}}
- b:
    call: task
    with:
      queue: '${ .region }'
      name: charge
      input: {amount: '${ .total }'}
      timeouts: {queue: PT1M, run: {seconds: 30}, heartbeat: PT5S}
      retry: {delay: PT1S, backoff: {exponential: {}}, maxDelay: PT1M, nonRetryable: [declined], limit: {attempt: {count: 4}}, when: $error.status >= 500}
      exhausted: park
"#
        ),
        @r#"
    [/do from a]
      a: task "charge" on "default" with ${ . } -> b
      b: task "charge" on ${ .region } with {amount:${ .total }}, queue timeout 60000ms, run timeout 30000ms, heartbeat timeout 5000ms, retry after 1000ms Exponential(2.0) up to 60000ms 4 attempts not declined when ${ $error.status >= 500 }, then Park -> exit
    "#
    );
}

#[test]
fn http() {
    assert_snapshot!(
        listing(
            r#"
document: {dsl: '1.0.3', namespace: default, name: test, version: '1.0.0'}
use: {authentications: {shop: {bearer: {token: '${ .token }'}}}}
do:
  - a: {call: http, with: {method: GET, endpoint: 'https://x/{id}/"y"/{name}'}}
  - b:
      call: http
      with:
        method: post
        endpoint: {uri: '${ .uri }', authentication: {use: shop}}
        headers: {Accept: text/plain}
        query: '${ .query }'
        body: {id: '${ .id }'}
        output: response
        redirect: true
  - c: {call: http, with: {method: get, endpoint: {uri: 'https://x', authentication: {basic: {username: a, password: '${ .p }'}}}}}
"#
        ),
        @r#"
    workflow test 1.0.0
    [/do from a]
      a: task "http" on "http" with {method:"get",output:"content",endpoint:${ "https://x/\(.["id"]|if .==null then "" elif type=="array" or type=="object" then error(type+" in an address") elif .=="." or .==".." then error(.+" in the path of an address") else @uri end)/\"y\"/\(.["name"]|if .==null then "" elif type=="array" or type=="object" then error(type+" in an address") elif .=="." or .==".." then error(.+" in the path of an address") else @uri end)" }} -> b
      b: task "http" on "http" with {method:"post",output:"response",redirect:true,headers:{"Accept":"text/plain"},query:${ .query },body:{id:${ .id }},endpoint:${ .uri },authentication:{bearer:{token:${ .token }}}} -> c
      c: task "http" on "http" with {method:"get",output:"content",endpoint:"https://x",authentication:{basic:{username:"a",password:${ .p }}}} -> exit
    "#
    );
}

#[test]
fn functions_and_children() {
    assert_snapshot!(
        listing(
            r#"
document: {dsl: '1.0.3', namespace: shop, name: test, version: '1.0.0'}
use:
  functions:
    greet: {input: {from: .name}, set: {hello: '${ . }'}}
    twice: {do: [a: {call: greet, with: {name: x}}, b: {call: greet}]}
do:
  - a: {call: twice, with: {n: '${ .n }'}}
  - b: {run: {workflow: {name: ship, version: '1.0.0', input: {id: '${ .id }'}}, await: false}, then: c}
  - c: {run: {workflow: {namespace: default, name: bill, version: latest}}, then: d}
  - d: {call: child, with: {workflow: '${ .which }', key: '${ .id }', await: false}}
"#
        ),
        @r#"
    workflow shop/test 1.0.0
    [/do from a]
      a: do -> b
        does
          [/use/functions/twice from with]
            twice: do -> exit
              does
                [/use/functions/twice/do from a]
                  a: do -> b
                    does
                      [/use/functions/greet from with]
                        greet: set {hello:${ . }}, input ${ .name } -> exit
                        with: set {"name":"x"} -> greet
                  b: do -> exit
                    does
                      [/use/functions/greet from greet]
                        greet: set {hello:${ . }}, input ${ .name } -> exit
            with: set {n:${ .n }} -> twice
      b: detach "shop/ship" version "1.0.0" key - with {id:${ .id }} -> c
      c: child "bill" version latest key - with ${ . } -> d
      d: detach ${ .which } version latest key ${ .id } with ${ . } -> exit
    "#
    );
}

#[test]
fn human_tasks() {
    assert_snapshot!(tasks(
        r#"
- all:
    call: human-task
    with:
      title: '${ "Review order \(.id)" }'
      description: Look at **it**.
      assignee: alice
      group: [reviewers, '${ .team }']
      data: {order: '${ . }'}
      form: {schema: {type: object}}
      priority: 9
      due: PT48H
      remind: [PT24H, {hours: 36}]
      escalate: {to: {group: heads}}
      outcomes: [approve, refuse]
- least: {call: human-task, with: {title: Look, priority: '${ .urgency }', escalate: {after: PT1H, to: {assignee: boss}}}}
"#
    ), @r#"
    [/do from all]
      all: Human { title: Expr(Expr("\"Review order \\(.id)\"")), description: Some(Literal(Text("Look at **it**."))), to: Assignment { assignee: Some(Literal(Text("alice"))), groups: Some(Array([Literal(Text("reviewers")), Expr(Expr(".team"))])) }, data: Object([("order", Expr(Expr(".")))]), form: Some(Object({"type": Text("object")})), priority: Some(Literal(Int(9))), due: Some(Ms(172800000)), remind: [Ms(86400000), Ms(129600000)], escalate: Some(Escalate { after: Ms(172800000), to: Assignment { assignee: None, groups: Some(Literal(Text("heads"))) } }), outcomes: ["approve", "refuse"] } -> least
      least: Human { title: Literal(Text("Look")), description: None, to: Assignment { assignee: None, groups: None }, data: Expr(Expr(".")), form: None, priority: Some(Expr(Expr(".urgency"))), due: None, remind: [], escalate: Some(Escalate { after: Ms(3600000), to: Assignment { assignee: Some(Literal(Text("boss"))), groups: None } }), outcomes: [] } -> exit
    "#);
}

#[test]
fn parts_of_a_list_and_critical_sections() {
    assert_snapshot!(
        tasks(
            r#"
- a: {call: map, with: {in: .x, do: [], need: 2, losers: leave}}
- b: {call: map, with: {in: .x, do: [], until: length > 3, more: {with: {type: item}, correlate: {o: {from: .data.o, expect: '${ .o }'}}, max: 5, transient: true}}}
- c: {call: lock, with: {name: '${ .account }', scope: server, limit: 2, do: [x: {wait: PT1S}]}}
- d: {call: lock, with: {name: book, do: []}}
- e: {call: task, with: {name: urgent, priority: 9}}
- f: {call: task, with: {name: urgent, priority: '${ .p }'}}
- g: {listen: {to: {one: {with: {type: now}}}}, metadata: {dev.quadrille/transient: true}}
"#
        ),
        @r#"
        [/do from a]
          a: for $item, $index in ${ .x } while -, 10 at once, collect, any 2 until - losers Leave -> b
            repeats
              [/do/0/a/with/do from nothing]
          b: for $item, $index in ${ .x } while -, 10 at once, collect, all until ${ length > 3 } losers Cancel, 5 more: listen all, item (transient) ${ .data.o }=${ .o } -> c
            repeats
              [/do/1/b/with/do from nothing]
          c: lock ${ .account } in Server, 2 at once -> d
            keeps to itself
              [/do/2/c/with/do from x]
                x: wait 1000ms -> exit
          d: lock "book" in Run, 1 at once -> e
            keeps to itself
              [/do/3/d/with/do from nothing]
          e: task "urgent" on "default" with ${ . }, priority ${ 9 } -> f
          f: task "urgent" on "default" with ${ . }, priority ${ .p } -> g
          g: listen any 1, now (transient) -> exit
        "#
    );
}

#[test]
fn what_runs_say_about_their_number_and_urgency() {
    let compiled = compile(
        "document: {dsl: '1.0.3', namespace: default, name: test, version: '1.0.0', metadata: {dev.quadrille/concurrency: {key: .customer, limit: 2, policy: replace}, dev.quadrille/priority: 7}}\ndo: []",
    );
    let graph = compiled.expect("it is right").graph;
    assert_snapshot!(format!("{:?} {:?}", graph.concurrency, graph.priority), @r#"Some(Concurrency { key: Expr(".customer"), limit: 2, policy: Replace }) Some(Expr("7"))"#);
}
