//! The local socket: hooks ask here. Whoever connects is who the kernel says;
//! nothing that is said over the socket approves, grants or loosens.

use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_agents::{
    Answer, EventKind, HookOutput, MAX_PAYLOAD_BYTES, Surroundings, acp, decode, encode,
    event_of_broken, raw_block,
};
use countersign_core::agent::Agent;
use countersign_core::decision::{BlockReason, Decision};
use countersign_core::message;
use countersign_core::state::ProcessId;
use countersign_guard::answer_of;
use countersign_ipc::instance::ServerInstance;
use countersign_ipc::peer::{peer_of, session_owner};
use countersign_ipc::wire::{
    FrameError, LENGTHS_BYTES, Lengths, Reply, Request, encode_reply, parse_request,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader, Interest};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};

use crate::incoming::{Handled, Incoming, Origin};
use crate::proxied::{self, Understood};
use crate::service::Service;

/// Connections at a time; of more, the next waits to be accepted.
const MOST_CONNECTIONS: u32 = 512;

/// How long a request may take to begin, and then to arrive: a hook has nothing
/// else to do, and whoever only keeps a connection keeps a place of others.
const REQUEST_IN: Duration = Duration::from_secs(10);

/// A payload up to this length, in bytes, has its room at once.
const ROOM: usize = 16 * 1024;

/// What longer payloads may hold at a time, all of them together, in KiB.
const LONG_PAYLOADS: u32 = 64 * 1024;

/// Calls that are decided at a time for each processor: more of them only wait
/// for each other.
const TURNS: usize = 2;

/// How long a call waits for its turn. Then it goes on all the same: one that
/// waits for a file holds up nobody for longer.
const TURN_WITHIN: Duration = Duration::from_millis(20);

/// What is kept back of a hook's time to put its end on record and for the way
/// back. On a busy machine that takes longer than it should, and a hook that
/// hears nothing can only say that the server did not answer.
const WAY_BACK: Duration = Duration::from_secs(1);

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Connections {
    /// A place for each that there may be.
    places: Arc<Semaphore>,
    /// Room for what they send, in KiB.
    room: Semaphore,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(MOST_CONNECTIONS as usize)),
            room: Semaphore::new(LONG_PAYLOADS as usize),
        }
    }
}

impl Connections {
    /// Waits until no hook is connected any more, so long at most.
    pub(crate) async fn over(&self, within: Duration) {
        // Nothing depends on it: a hook that hears nothing blocks.
        let _ = tokio::time::timeout(within, self.places.acquire_many(MOST_CONNECTIONS)).await;
    }
}

/// Answers hooks until the listener fails for good.
pub(crate) async fn serve(service: Arc<Service>, listener: std::os::unix::net::UnixListener) {
    let listener = match UnixListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!("the socket cannot be served: {error}");
            return;
        }
    };
    let places = Arc::clone(&service.connections.places);
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let turns = Arc::new(Semaphore::new(TURNS * processors));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let (service, turns) = (Arc::clone(&service), Arc::clone(&turns));
                tokio::spawn(async move {
                    if let Err(error) = connection(&service, &turns, stream).await {
                        tracing::warn!("a hook's connection ended: {error}");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                // Too many open files, and the like: it may pass.
                tracing::error!("a hook cannot be accepted: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(
    service: &Arc<Service>,
    turns: &Semaphore,
    stream: UnixStream,
) -> io::Result<()> {
    let peer = peer_of(&stream)?;
    if peer.uid != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other(format!(
            "user {} is not the user of this server",
            peer.uid
        )));
    }
    // Once for the connection: the process at its other end stays the same.
    // Here, because a few reads of /proc are shorter than the way to another
    // thread, and they never wait.
    let caller = session_owner(peer.pid);
    let (input, mut output) = stream.into_split();
    let mut input = BufReader::new(input);
    let room = &service.connections.room;
    while let Some((request, payload)) = read(&mut input, room).await? {
        let started = Instant::now();
        let reply = match request {
            Ok(request) => {
                let asked = Asked {
                    request,
                    payload,
                    caller: caller.clone(),
                    peer: peer.pid,
                    started,
                };
                answer(service, turns, asked, input.get_ref()).await
            }
            Err(error) => Reply::Refused {
                reason: error.to_string(),
            },
        };
        write(&mut output, &reply).await?;
    }
    Ok(())
}

/// The next request and its payload; none at the end of the connection, or
/// where nothing comes.
async fn read(
    input: &mut BufReader<OwnedReadHalf>,
    room: &Semaphore,
) -> io::Result<Option<(Result<Request, FrameError>, Vec<u8>)>> {
    let mut lengths = [0_u8; LENGTHS_BYTES];
    let begins = input.read_exact(&mut lengths[..1]);
    match tokio::time::timeout(REQUEST_IN, begins).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Ok(Err(error)) => return Err(error),
        Err(_) => return Ok(None),
    }
    let rest = async {
        input.read_exact(&mut lengths[1..]).await?;
        let lengths = Lengths::parse(lengths).map_err(io::Error::other)?;
        let mut header = vec![0; lengths.header];
        input.read_exact(&mut header).await?;
        // What is long arrives only when there is room for it.
        let _room = if lengths.payload > ROOM {
            let size = u32::try_from(lengths.payload.div_ceil(1024)).unwrap_or(LONG_PAYLOADS);
            Some(room.acquire_many(size).await.map_err(io::Error::other)?)
        } else {
            None
        };
        // Taken as it arrives: an announced length costs next to nothing.
        let mut payload = Vec::with_capacity(lengths.payload.min(ROOM));
        let most = u64::try_from(lengths.payload).unwrap_or(u64::MAX);
        input.take(most).read_to_end(&mut payload).await?;
        if payload.len() < lengths.payload {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok((parse_request(&header), payload))
    };
    match tokio::time::timeout(REQUEST_IN, rest).await {
        Ok(read) => read.map(Some),
        Err(_) => Err(io::Error::other("a request did not arrive in time")),
    }
}

async fn write(output: &mut OwnedWriteHalf, reply: &Reply) -> io::Result<()> {
    let bytes = encode_reply(reply).map_err(io::Error::other)?;
    output.write_all(&bytes).await
}

/// Ends when the other side has closed the connection.
async fn closed(input: &OwnedReadHalf) {
    loop {
        match input.ready(Interest::READABLE).await {
            Ok(ready) if ready.is_read_closed() => return,
            // The next request is there already.
            Ok(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(_) => return,
        }
    }
}

/// A request as it arrived.
struct Asked {
    request: Request,
    payload: Vec<u8>,
    caller: Option<ProcessId>,
    /// The process at the other end.
    peer: u32,
    started: Instant,
}

/// Waits for a turn to decide; none if it takes too long.
async fn turn(turns: &Semaphore) -> Option<SemaphorePermit<'_>> {
    match turns.try_acquire() {
        Ok(turn) => Some(turn),
        Err(_) => tokio::time::timeout(TURN_WITHIN, turns.acquire())
            .await
            .ok()?
            .ok(),
    }
}

async fn answer(
    service: &Arc<Service>,
    turns: &Semaphore,
    asked: Asked,
    input: &OwnedReadHalf,
) -> Reply {
    let Asked {
        request,
        payload,
        caller,
        peer,
        started,
    } = asked;
    if request.server != service.server().key {
        return Reply::Refused {
            reason: "this is not the server that was meant".to_owned(),
        };
    }
    let agent: Agent = match request.agent.parse() {
        Ok(agent) => agent,
        Err(error) => return blocked(&request, &format!("Countersign: {error}")),
    };
    debug_assert!(payload.len() <= MAX_PAYLOAD_BYTES);
    let understood = if request.event == acp::EVENT {
        proxied::understand(agent, &request, &payload, peer, caller)
    } else {
        decode(agent, &request.event, &payload).map(|event| Understood {
            event,
            process: caller,
            tighten: request.tighten,
            origin: Origin::Hook,
        })
    };
    let Understood {
        mut event,
        process,
        tighten,
        origin,
    } = match understood {
        Ok(understood) => understood,
        Err(error) => return refused(service, &request, agent, error.to_string()).await,
    };
    drop(payload);
    event.set_surroundings(&Surroundings {
        search_path: request.search_path.clone(),
        shell: request.shell.clone(),
    });
    let is_hook = origin == Origin::Hook;
    let event_ref = event.event_ref();
    let waits = matches!(event.kind, EventKind::Call { .. });
    let remaining = Duration::from_millis(request.remaining_ms);
    let incoming = Incoming {
        event,
        process,
        deadline: started + remaining.saturating_sub(WAY_BACK.min(remaining / 4)),
        tighten,
        origin,
        started,
        trace: request.trace_context(),
    };
    let (gone, gone_receiver) = oneshot::channel::<()>();
    let handling = async {
        let begun = {
            let _turn = turn(turns).await;
            service.begin(incoming).await
        };
        let gone = Box::pin(async move {
            // Dropping the other half is not an end of the hook.
            if gone_receiver.await.is_err() {
                std::future::pending::<()>().await;
            }
        });
        service.finish(begun, gone).await
    };
    tokio::pin!(handling);
    let handled = if waits {
        tokio::select! {
            handled = &mut handling => handled,
            () = closed(input) => {
                let _ = gone.send(());
                handling.await
            }
        }
    } else {
        handling.await
    };
    let answer = match handled {
        Handled::Noted | Handled::NoOpinion => Answer::NoOpinion,
        Handled::Decided(_, decision) | Handled::Failed(decision) => answer_of(&decision),
        Handled::Elsewhere(server) => {
            return Reply::Elsewhere {
                instance: ServerInstance {
                    process: server.process,
                    key: server.key,
                },
            };
        }
        Handled::NotOwner(reason) => return Reply::Refused { reason },
    };
    reply(if is_hook {
        encode(event_ref, &answer)
    } else {
        acp::encode_answer(&answer)
    })
}

/// A payload that nobody can read is put on record and blocked.
async fn refused(
    service: &Arc<Service>,
    request: &Request,
    agent: Agent,
    problem: String,
) -> Reply {
    if event_of_broken(agent, &request.event).stage.decides() {
        let (from, why) = (format!("{agent} {}", request.event), problem.clone());
        let recorded = service
            .blocking(move |service| service.engine.refused(&from, &why))
            .await;
        if let Ok(Err(error)) = recorded {
            tracing::error!("a call that is blocked is not recorded: {error}");
        }
    }
    let decision = Decision::Block {
        reason: BlockReason::InvalidCall,
        detail: problem,
    };
    blocked(request, &message::for_agent(&decision))
}

fn blocked(request: &Request, message: &str) -> Reply {
    reply(raw_block(&request.agent, &request.event, message))
}

fn reply(output: HookOutput) -> Reply {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Reply::Answer {
        exit: output.exit,
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}
