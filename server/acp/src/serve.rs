//! Joins the two sides: reads both, writes both, and ends in order.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use camino::Utf8PathBuf;
use countersign_agents::Surroundings;
use countersign_agents::acp::What;
use countersign_core::agent::Agent;
use countersign_core::mode::ApprovalMode;
use countersign_service::{Service, SurfaceKind};
use tokio::io::{AsyncRead, AsyncWrite, BufReader};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::asking::Asking;
use crate::lines::{self, Line};
use crate::outlet::{Outlet, Rooms as Takes};
use crate::proxy::{self, Ended, Event, Proxy};
use crate::route::{FindAgent, Route, Servers};

/// The longest message that is passed on, in bytes.
const MOST: usize = 32 * 1024 * 1024;

/// Events that wait.
const EVENTS: usize = 16;

/// How long the agent has to end after the client is gone.
const AGENT_ENDS_WITHIN: Duration = Duration::from_secs(2);

/// How long what is still to be reported and written may take at the end.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// What a proxy is made of.
pub struct Setup {
    /// The agent.
    pub agent: Agent,
    /// The folder that the proxy runs in.
    pub folder: Utf8PathBuf,
    /// The guard that decides where no editor's server does.
    pub service: Arc<Service>,
    /// The servers of the user's editors.
    pub servers: Arc<dyn Servers>,
    /// What is known of the agent's environment.
    pub surroundings: Surroundings,
    /// A mode that those can only tighten to.
    pub tighten: Option<ApprovalMode>,
    /// Finds the agent's process.
    pub find_agent: FindAgent,
    /// Whether a person is before the client. What another agent starts has
    /// nobody to ask.
    pub has_person: bool,
}

/// How the two sides ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// The agent said no more.
    Agent,
    /// The client went away, and the agent did not end in time.
    AgentGoesOn,
    /// The system gives no randomness: nobody can be asked safely.
    NoRandomness,
}

/// Stands between the two until one of them is gone.
pub async fn serve(
    setup: Setup,
    client: (
        impl AsyncRead + Send + Unpin + 'static,
        impl AsyncWrite + Send + Unpin + 'static,
    ),
    agent: (
        impl AsyncRead + Send + Unpin + 'static,
        impl AsyncWrite + Send + Unpin + 'static,
    ),
) -> Over {
    let Some(asking) = Asking::new() else {
        return Over::NoRandomness;
    };
    let service = Arc::clone(&setup.service);
    service.leaves_sessions_free();
    let (notice_sender, mut notices) = mpsc::unbounded_channel();
    if setup.has_person {
        service.connect(SurfaceKind::Acp, true, notice_sender);
    }
    let (to_client, [client_rooms, client_replies], client_output) = Outlet::new();
    let (to_agent, [agent_rooms, agent_replies], agent_output) = Outlet::new();
    let client_writer = tokio::spawn(client_output.run(client.1));
    let agent_writer = tokio::spawn(agent_output.run(agent.1));
    let (events, mut receiver) = mpsc::channel(EVENTS);
    let agent_reader = tokio::spawn(read(
        agent.0,
        client_rooms,
        agent_replies,
        events.clone(),
        Side::Agent,
    ));
    let client_reader = tokio::spawn(read(
        client.0,
        agent_rooms,
        client_replies,
        events.clone(),
        Side::Client,
    ));
    let route = Arc::new(Route {
        agent: setup.agent,
        service: Arc::clone(&service),
        servers: setup.servers,
        surroundings: setup.surroundings,
        tighten: setup.tighten,
        find_agent: setup.find_agent,
        found: Mutex::default(),
    });
    let mut proxy = Proxy::new(route, setup.folder, (to_client, to_agent), events, asking);
    let mut over = Over::Agent;
    if proxy.run(&mut receiver, &mut notices).await == Ended::Client {
        proxy.client_is_gone();
        service.disconnect().await;
        let ends = async { while proxy.run(&mut receiver, &mut notices).await != Ended::Agent {} };
        if tokio::time::timeout(AGENT_ENDS_WITHIN, ends).await.is_err() {
            over = Over::AgentGoesOn;
        }
    }
    client_reader.abort();
    agent_reader.abort();
    finish(proxy, [client_writer, agent_writer]).await;
    service.disconnect().await;
    over
}

/// Reports the end and lets both sides have what was sent to them.
async fn finish(proxy: Proxy, writers: [JoinHandle<()>; 2]) {
    let last = async {
        proxy.ends().await;
        for writer in writers {
            let _ = writer.await;
        }
    };
    if tokio::time::timeout(LAST_WORDS, last).await.is_err() {
        tracing::warn!("not everything was reported or read before the end");
    }
}

impl Proxy {
    /// Nobody answers any more, and the agent hears so.
    fn client_is_gone(&mut self) {
        self.cancel_all();
        let (closed, _, _) = Outlet::new();
        self.to_agent = closed;
    }

    /// Reports the end of every session; waits until it is.
    async fn ends(mut self) {
        self.cancel_all();
        let sessions: Vec<String> = self.sessions.ids().map(str::to_owned).collect();
        for session in sessions {
            self.note(&session, What::SessionEnd);
        }
        self.reported().await;
    }
}

#[derive(Clone, Copy)]
enum Side {
    Agent,
    Client,
}

/// Reads one side as fast as the other one takes it.
async fn read(
    input: impl AsyncRead + Unpin,
    on: Takes,
    back: Takes,
    events: mpsc::Sender<Event>,
    side: Side,
) {
    let mut input = BufReader::new(input);
    let (ended, other_ended) = match side {
        Side::Agent => (Event::AgentEnded, Some(Event::ClientEnded)),
        // An agent that reads no more may still say something.
        Side::Client => (Event::ClientEnded, None),
    };
    loop {
        let line = match lines::next(&mut input, MOST).await {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(error) => {
                tracing::warn!("one side cannot be read any more: {error}");
                break;
            }
        };
        let bytes = match &line {
            Line::Whole(bytes) => bytes.len(),
            Line::TooLong => 1,
        };
        let (Some(on), Some(back)) = (on.take(bytes).await, back.take(1).await) else {
            if let Some(event) = other_ended {
                let _ = events.send(event).await;
            }
            // What is still said goes nowhere.
            let _ = tokio::io::copy(&mut input, &mut tokio::io::sink()).await;
            break;
        };
        let rooms = proxy::Rooms { on, back };
        let event = match side {
            Side::Agent => Event::FromAgent(line, rooms),
            Side::Client => Event::FromClient(line, rooms),
        };
        if events.send(event).await.is_err() {
            return;
        }
    }
    let _ = events.send(ended).await;
}
