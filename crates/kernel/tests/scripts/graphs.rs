//! Owns the short form in which tests write graphs: a tree of nodes, each made by one small function.
//!
//! `graph("w", vec![task("a"), set("b", ".x")])` runs a, then b. Nodes follow each other unless `.to`
//! says otherwise; targets are names within the same body, or "exit" or "end". Text given as data is
//! an expression, except where a function says that it takes JSON.

use graph::ir::{
    Assignment, Backoff, Body, Case, Catch, Child, EachEvent, Exhausted, Filter, ForEach, Fork,
    Human, Join, JoinBy, Listen, Lock, LockScope, Loop, Losers, Milestone, More, Need, Retry,
    Schemas, Task, Try, Until, Wait, Withdraw,
};
use graph::template::{Expr, Template};
use graph::{BodyIndex, Delay, Graph, Kind, Next, Node, NodeIndex, Value};

/// A node as tests write it.
#[derive(Clone, Debug)]
pub(crate) struct N {
    name: String,
    when: Option<String>,
    input: Option<Template>,
    output: Option<Template>,
    export: Option<Template>,
    schemas: Schemas,
    timeout: Option<Delay>,
    undo: Option<Vec<N>>,
    to: Option<String>,
    kind: K,
}

#[derive(Clone, Debug)]
enum K {
    Plain(Kind),
    Withdraw(bool, Vec<String>),
    Milestone(String, Option<String>),
    Cases(bool, Vec<(Option<String>, String)>),
    Do(Vec<N>),
    Lock(Lock, Vec<N>),
    Saga(Vec<N>),
    Loop(Loop, Vec<N>),
    Each(ForEach, Vec<N>),
    Listen(Listen, Vec<N>),
    Fork(Fork, Vec<Vec<N>>),
    Try {
        body: Vec<N>,
        catch: Option<(Catch, Option<Vec<N>>, Option<String>)>,
        finally: Option<Vec<N>>,
    },
}

const NO_BODY: BodyIndex = BodyIndex(0);

fn n(name: &str, kind: K) -> N {
    N {
        name: name.into(),
        when: None,
        input: None,
        output: None,
        export: None,
        schemas: Schemas::default(),
        timeout: None,
        undo: None,
        to: None,
        kind,
    }
}

pub(crate) fn json(text: &str) -> Value {
    Value::from_json(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub(crate) fn expr(text: &str) -> Template {
    Template::Expr(Expr(text.into()))
}

fn word(text: &str) -> Template {
    Template::Literal(Value::from(text))
}

pub(crate) fn retry(delay_ms: u64) -> Retry {
    Retry {
        delay: Delay::Ms(delay_ms),
        backoff: Backoff::Constant,
        delay_max_ms: None,
        jitter_ms: None,
        attempts_max: None,
        duration_max_ms: None,
        fatal_types: vec![],
        when: None,
        except_when: None,
    }
}

/// A task named like its node, on queue `q`, that gets the data as it comes.
pub(crate) fn task(name: &str) -> N {
    n(
        name,
        K::Plain(Kind::Task(Task {
            queue: word("q"),
            name: word(name),
            input: Template::identity(),
            sealed: vec![],
            queue_timeout: None,
            run_timeout: None,
            heartbeat_timeout: None,
            retry: None,
            exhausted: Exhausted::Fail,
            priority: None,
        })),
    )
}

pub(crate) fn set(name: &str, to: &str) -> N {
    n(name, K::Plain(Kind::Set(expr(to))))
}

/// Raises an error of this type.
pub(crate) fn raise(name: &str, kind: &str) -> N {
    let error = format!(r#"{{"type": "{kind}", "status": 418, "detail": "raised"}}"#);
    n(name, K::Plain(Kind::Raise(Template::Literal(json(&error)))))
}

pub(crate) fn emit(name: &str, event: &str) -> N {
    n(name, K::Plain(Kind::Emit(expr(event))))
}

pub(crate) fn wait(name: &str, ms: u64) -> N {
    n(name, K::Plain(Kind::Wait(Wait::For(Delay::Ms(ms)))))
}

pub(crate) fn wait_until(name: &str, instant: &str) -> N {
    n(name, K::Plain(Kind::Wait(Wait::Until(expr(instant)))))
}

pub(crate) fn filter(event_type: &str) -> Filter {
    Filter {
        event_type: event_type.into(),
        with: vec![],
        when: None,
        correlate: vec![],
        bind: vec![],
        transient: false,
    }
}

pub(crate) fn listen(name: &str, need: Need, filters: Vec<Filter>) -> N {
    n(
        name,
        K::Plain(Kind::Listen(Listen {
            filters,
            need,
            envelope: false,
            until: None,
            each: None,
        })),
    )
}

/// Takes every event that a filter means, until this.
pub(crate) fn gather(name: &str, filters: Vec<Filter>, until: Until) -> N {
    let listen = Listen {
        filters,
        need: Need::Count(1),
        envelope: false,
        until: Some(until),
        each: None,
    };
    n(name, K::Plain(Kind::Listen(listen)))
}

/// The same, with a body for each event in `$item`.
pub(crate) fn gather_each(
    name: &str,
    filters: Vec<Filter>,
    until: Option<Until>,
    body: Vec<N>,
) -> N {
    let each = EachEvent {
        each: "item".into(),
        at: "index".into(),
        body: NO_BODY,
    };
    let listen = Listen {
        filters,
        need: Need::All,
        envelope: false,
        until,
        each: Some(each),
    };
    n(name, K::Listen(listen, body))
}

/// Listens to one signal or event of this type.
pub(crate) fn hear(name: &str, event_type: &str) -> N {
    listen(name, Need::All, vec![filter(event_type)])
}

pub(crate) fn child(name: &str, workflow: &str) -> N {
    let child = Child {
        workflow: word(workflow),
        version: None,
        input: Template::identity(),
        key: None,
        detach: false,
        echo: false,
    };
    n(name, K::Plain(Kind::Child(child)))
}

/// Work for a person, with its name as title, that shows the data as it comes.
pub(crate) fn human(name: &str) -> N {
    let human = Human {
        title: word(name),
        description: None,
        to: Assignment::default(),
        data: Template::identity(),
        form: None,
        priority: None,
        due: None,
        remind: vec![],
        escalate: None,
        outcomes: vec![],
    };
    n(name, K::Plain(Kind::Human(human)))
}

pub(crate) fn join(name: &str, need: Need) -> N {
    n(name, K::Plain(Kind::Join(need.into())))
}

pub(crate) fn join_by(name: &str, by: JoinBy, need: Need) -> N {
    n(name, K::Plain(Kind::Join(Join { need, by })))
}

/// So many tokens, as an expression says.
pub(crate) fn threads(name: &str, count: &str) -> N {
    n(name, K::Plain(Kind::Threads(count.into())))
}

/// Withdraws what goes on at nodes of its own body or of those around it.
pub(crate) fn withdraw(name: &str, nodes: &[&str]) -> N {
    let nodes = nodes.iter().map(|node| (*node).into()).collect();
    n(name, K::Withdraw(false, nodes))
}

/// Cuts short what goes on at these nodes.
pub(crate) fn cut_short(name: &str, nodes: &[&str]) -> N {
    let nodes = nodes.iter().map(|node| (*node).into()).collect();
    n(name, K::Withdraw(true, nodes))
}

/// Waits until something goes on at another node.
pub(crate) fn milestone(name: &str, node: &str) -> N {
    n(name, K::Milestone(node.into(), None))
}

pub(crate) fn merge(name: &str) -> N {
    n(name, K::Plain(Kind::Merge))
}

/// Cases are pairs of condition (empty: always) and target.
pub(crate) fn switch(name: &str, cases: &[(&str, &str)]) -> N {
    n(name, K::Cases(false, owned(cases)))
}

pub(crate) fn split(name: &str, cases: &[(&str, &str)]) -> N {
    n(name, K::Cases(true, owned(cases)))
}

fn owned(cases: &[(&str, &str)]) -> Vec<(Option<String>, String)> {
    let own =
        |(when, to): &(&str, &str)| ((!when.is_empty()).then(|| (*when).into()), (*to).into());
    cases.iter().map(own).collect()
}

pub(crate) fn block(name: &str, body: Vec<N>) -> N {
    n(name, K::Do(body))
}

/// Runs a body while it holds a lock of which there is one.
pub(crate) fn lock(name: &str, of: &str, scope: LockScope, body: Vec<N>) -> N {
    let lock = Lock {
        name: word(of),
        scope,
        limit: 1,
        body: NO_BODY,
    };
    n(name, K::Lock(lock, body))
}

pub(crate) fn saga(name: &str, body: Vec<N>) -> N {
    n(name, K::Saga(body))
}

/// Empty conditions are none.
pub(crate) fn repeat(
    name: &str,
    repeat_while: &str,
    repeat_until: &str,
    rounds_max: u32,
    body: Vec<N>,
) -> N {
    let condition = |text: &str| (!text.is_empty()).then(|| Expr::from(text));
    let (repeat_while, repeat_until) = (condition(repeat_while), condition(repeat_until));
    n(
        name,
        K::Loop(
            Loop {
                body: NO_BODY,
                repeat_while,
                repeat_until,
                rounds_max,
            },
            body,
        ),
    )
}

fn each(name: &str, items: &str, concurrency: u32, collect: bool, body: Vec<N>) -> N {
    let (each, at) = ("item".into(), "index".into());
    n(
        name,
        K::Each(
            ForEach {
                items: items.into(),
                each,
                at,
                body: NO_BODY,
                repeat_while: None,
                concurrency,
                collect,
                need: Need::All,
                until: None,
                losers: Losers::Cancel,
                more: None,
            },
            body,
        ),
    )
}

/// Gathers the outputs of the bodies.
pub(crate) fn map(name: &str, items: &str, concurrency: u32, body: Vec<N>) -> N {
    each(name, items, concurrency, true, body)
}

/// Hands each body's output to the next.
pub(crate) fn fold(name: &str, items: &str, body: Vec<N>) -> N {
    each(name, items, 1, false, body)
}

pub(crate) fn fork(name: &str, need: Need, branches: Vec<Vec<N>>) -> N {
    n(
        name,
        K::Fork(
            Fork {
                branches: vec![],
                need,
                losers: Losers::Cancel,
                first: false,
            },
            branches,
        ),
    )
}

/// A try that catches nothing yet.
pub(crate) fn attempt(name: &str, body: Vec<N>) -> N {
    n(
        name,
        K::Try {
            body,
            catch: None,
            finally: None,
        },
    )
}

impl N {
    pub(crate) fn rename(&mut self, name: &str) {
        self.name = name.into();
    }

    pub(crate) fn when(mut self, condition: &str) -> N {
        self.when = Some(condition.into());
        self
    }

    pub(crate) fn input(mut self, template: &str) -> N {
        self.input = Some(expr(template));
        self
    }

    /// What the raw input, the shaped output and the export must look like, as JSON.
    pub(crate) fn schemas(mut self, input: &str, output: &str, export: &str) -> N {
        self.schemas = Schemas {
            input: Some(json(input)),
            output: Some(json(output)),
            export: Some(json(export)),
        };
        self
    }

    pub(crate) fn output(mut self, template: &str) -> N {
        self.output = Some(expr(template));
        self
    }

    pub(crate) fn export(mut self, template: &str) -> N {
        self.export = Some(expr(template));
        self
    }

    pub(crate) fn timeout(mut self, ms: u64) -> N {
        self.timeout = Some(Delay::Ms(ms));
        self
    }

    pub(crate) fn undo(mut self, body: Vec<N>) -> N {
        self.undo = Some(body);
        self
    }

    pub(crate) fn to(mut self, target: &str) -> N {
        self.to = Some(target.into());
        self
    }

    pub(crate) fn retry(self, retry: Retry) -> N {
        self.with_task(|task| task.retry = Some(retry))
    }

    pub(crate) fn park(self) -> N {
        self.with_task(|task| task.exhausted = Exhausted::Park)
    }

    pub(crate) fn with_task(mut self, change: impl FnOnce(&mut Task)) -> N {
        if let K::Plain(Kind::Task(task)) = &mut self.kind {
            change(task);
        }
        self
    }

    pub(crate) fn with_lock(mut self, change: impl FnOnce(&mut Lock)) -> N {
        if let K::Lock(lock, _) = &mut self.kind {
            change(lock);
        }
        self
    }

    pub(crate) fn with_child(mut self, change: impl FnOnce(&mut Child)) -> N {
        if let K::Plain(Kind::Child(child)) = &mut self.kind {
            change(child);
        }
        self
    }

    pub(crate) fn with_human(mut self, change: impl FnOnce(&mut Human)) -> N {
        if let K::Plain(Kind::Human(human)) = &mut self.kind {
            change(human);
        }
        self
    }

    pub(crate) fn with_fork(mut self, change: impl FnOnce(&mut Fork)) -> N {
        if let K::Fork(fork, _) = &mut self.kind {
            change(fork);
        }
        self
    }

    pub(crate) fn with_each(mut self, change: impl FnOnce(&mut ForEach)) -> N {
        if let K::Each(each, _) = &mut self.kind {
            change(each);
        }
        self
    }

    /// Takes so many more elements, one from each of these signals or events.
    pub(crate) fn more(self, event_type: &str, max: u32) -> N {
        let filter = filter(event_type);
        self.with_each(|each| each.more = Some(More { filter, max }))
    }

    pub(crate) fn while_(mut self, condition: &str) -> N {
        if let K::Each(each, _) = &mut self.kind {
            each.repeat_while = Some(condition.into());
        }
        self
    }

    /// Catches everything; `body` runs then.
    pub(crate) fn catch(self, body: Vec<N>) -> N {
        self.catch_with(Some(body), |_| {})
    }

    pub(crate) fn catch_with(
        mut self,
        caught: Option<Vec<N>>,
        change: impl FnOnce(&mut Catch),
    ) -> N {
        if let K::Try { catch, .. } = &mut self.kind {
            let bind = "error".into();
            let mut made = Catch {
                with: vec![],
                when: None,
                except_when: None,
                bind,
                retry: None,
                body: None,
                next: None,
            };
            change(&mut made);
            *catch = Some((made, caught, None));
        }
        self
    }

    pub(crate) fn catch_to(mut self, target: &str) -> N {
        if let K::Try {
            catch: Some((_, _, to)),
            ..
        } = &mut self.kind
        {
            *to = Some(target.into());
        }
        self
    }

    /// Where a token goes from a milestone that is not reached.
    pub(crate) fn otherwise(mut self, target: &str) -> N {
        if let K::Milestone(_, to) = &mut self.kind {
            *to = Some(target.into());
        }
        self
    }

    pub(crate) fn finally(mut self, body: Vec<N>) -> N {
        if let K::Try { finally, .. } = &mut self.kind {
            *finally = Some(body);
        }
        self
    }
}

/// A workflow of version 1.0.0.
pub(crate) fn graph(workflow: &str, root: Vec<N>) -> Graph {
    let mut graph = Graph {
        workflow: workflow.into(),
        version: "1.0.0".into(),
        input: None,
        output: None,
        timeout: None,
        retention_ms: None,
        schemas: Schemas::default(),
        context: None,
        trigger: None,
        labels: vec![],
        attributes: vec![],
        concurrency: None,
        priority: None,
        definition: None,
        locals: ["item", "index", "error"].map(Into::into).to_vec(),
        bodies: vec![],
        nodes: vec![],
    };
    body(&mut graph, root);
    graph
}

fn body(graph: &mut Graph, nodes: Vec<N>) -> BodyIndex {
    let index = BodyIndex(graph.bodies.len() as u32);
    let first = (!nodes.is_empty()).then_some(NodeIndex(graph.nodes.len() as u32));
    graph.bodies.push(Body {
        path: format!("/body{}", index.0).into(),
        first,
    });
    let base = graph.nodes.len();
    let names: Vec<String> = nodes.iter().map(|node| node.name.clone()).collect();
    let target = |name: &str| match name {
        "exit" => Next::Exit,
        "end" => Next::End,
        name => {
            let place = names.iter().position(|known| known == name);
            Next::Node(NodeIndex(
                (base + place.unwrap_or_else(|| panic!("no node {name}"))) as u32,
            ))
        }
    };
    let length = nodes.len();
    let makes: Vec<N> = nodes
        .iter()
        .map(|node| N {
            kind: K::Do(vec![]),
            ..node.clone()
        })
        .collect();
    for (place, node) in makes.iter().enumerate() {
        let following = if place + 1 < length {
            Next::Node(NodeIndex((base + place + 1) as u32))
        } else {
            Next::Exit
        };
        graph.nodes.push(Node {
            name: node.name.as_str().into(),
            path: format!("/{}", node.name).into(),
            body: index,
            when: node.when.as_deref().map(Expr::from),
            input: node.input.clone(),
            output: node.output.clone(),
            export: node.export.clone(),
            schemas: node.schemas.clone(),
            timeout: node.timeout.clone(),
            undo: None,
            next: node.to.as_deref().map_or(following, target),
            kind: Kind::Set(Template::identity()),
        });
    }
    for (place, node) in nodes.into_iter().enumerate() {
        let kind = kind(graph, node.kind, &target);
        graph.nodes[base + place].kind = kind;
        graph.nodes[base + place].undo = node.undo.map(|undo| body(graph, undo));
    }
    index
}

/// A node by name; those of enclosing bodies are there before those of inner ones.
fn seen(graph: &Graph, name: &str) -> NodeIndex {
    let place = graph.nodes.iter().rposition(|node| &*node.name == name);
    NodeIndex(place.unwrap_or_else(|| panic!("no node {name}")) as u32)
}

fn kind(graph: &mut Graph, kind: K, target: &dyn Fn(&str) -> Next) -> Kind {
    match kind {
        K::Plain(kind) => kind,
        K::Withdraw(complete, names) => Kind::Withdraw(Withdraw {
            nodes: names.iter().map(|name| seen(graph, name)).collect(),
            complete,
        }),
        K::Milestone(name, otherwise) => Kind::Milestone(Milestone {
            node: seen(graph, &name),
            otherwise: otherwise.as_deref().map(target),
        }),
        K::Cases(is_split, cases) => {
            let cases = cases.into_iter().map(|(when, to)| Case {
                when: when.map(|when| Expr(when.into())),
                next: target(&to),
            });
            if is_split {
                Kind::Split(cases.collect())
            } else {
                Kind::Switch(cases.collect())
            }
        }
        K::Do(nodes) => Kind::Do(body(graph, nodes)),
        K::Lock(lock, nodes) => Kind::Lock(Lock {
            body: body(graph, nodes),
            ..lock
        }),
        K::Saga(nodes) => Kind::Saga(body(graph, nodes)),
        K::Loop(repeat, nodes) => Kind::Loop(Loop {
            body: body(graph, nodes),
            ..repeat
        }),
        K::Each(each, nodes) => Kind::ForEach(ForEach {
            body: body(graph, nodes),
            ..each
        }),
        K::Listen(listen, nodes) => Kind::Listen(Listen {
            each: listen.each.map(|each| EachEvent {
                body: body(graph, nodes),
                ..each
            }),
            ..listen
        }),
        K::Fork(fork, branches) => {
            let branches = branches
                .into_iter()
                .map(|nodes| body(graph, nodes))
                .collect();
            Kind::Fork(Fork { branches, ..fork })
        }
        K::Try {
            body: nodes,
            catch,
            finally,
        } => Kind::Try(Try {
            body: body(graph, nodes),
            catch: catch.map(|(catch, nodes, to)| Catch {
                body: nodes.map(|nodes| body(graph, nodes)),
                next: to.as_deref().map(target),
                ..catch
            }),
            finally: finally.map(|nodes| body(graph, nodes)),
        }),
    }
}
