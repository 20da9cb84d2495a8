//! A TCP proxy between a job and its broker that understands frames: it can pass everything, cut,
//! slow down or swallow everything, and do something special to one chosen request.
//!
//! ```text
//!            ┌ weather: open · cut · black hole · slow ┐
//!  client ──►│ request  ─► rule for its api key?       │──► broker
//!         ◄──│ response ◄─ rule for its correlation id?│◄──
//!            └─────────────────────────────────────────┘
//!                 Hold, Repeat: the frame goes out later, on a connection of its own
//! ```
//!
//! Two plain threads a connection; a job has a handful of connections.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::frame::{Api, Frame};
use crate::{Result, lock};

/// What happens to the chosen request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It reaches the broker late; everything behind it waits.
    DelayRequest(Duration),
    /// Its reply reaches the client late.
    DelayReply(Duration),
    /// The broker acts on it, and the connection breaks instead of its reply.
    DropReply,
    /// The broker acts on it; the reply never comes, and the connection stays.
    SwallowReply,
    /// The connection breaks before it is sent.
    Cut,
    /// As [`Action::Cut`], but the broker gets it later, when the client has given it up for lost.
    Hold(Duration),
    /// As [`Action::DropReply`], and the broker gets it once more later. (On a connection that stays
    /// nothing arrives twice, and no client could know.)
    Repeat(Duration),
}

/// A request to be treated specially.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which request.
    pub api: Api,
    /// So many of them pass first.
    pub after: u32,
    /// What happens to it.
    pub action: Action,
}

/// What happens to everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Nothing special.
    Open,
    /// Connections break and are refused.
    Cut,
    /// Nothing moves, and nobody is told.
    BlackHole,
    /// So many bytes a second in each direction.
    Throttle(u64),
    /// Everything is late, each frame by up to twice the middle of it.
    Late(Duration),
}

#[derive(Default)]
struct Armed {
    rule: Option<Rule>,
    hits: u64,
}

struct Shared {
    upstream: SocketAddr,
    weather: Mutex<Weather>,
    armed: Mutex<Armed>,
    connections: Mutex<HashMap<u64, [TcpStream; 2]>>,
    next: AtomicU64,
    released: AtomicU64,
}

/// A running proxy; it ends with the process.
#[derive(Clone)]
pub struct Proxy {
    shared: Arc<Shared>,
    port: u16,
}

impl Proxy {
    /// Listens on `listener`, connects to `upstream`.
    ///
    /// # Errors
    /// If the listener has no address.
    pub fn start(listener: TcpListener, upstream: SocketAddr) -> Result<Proxy> {
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            upstream,
            weather: Mutex::new(Weather::Open),
            armed: Mutex::default(),
            connections: Mutex::default(),
            next: AtomicU64::new(0),
            released: AtomicU64::new(0),
        });
        let accepting = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = accepting.clone();
                thread::spawn(move || shared.connect(client));
            }
        });
        Ok(Proxy { shared, port })
    }

    /// Where clients connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Treats the next such request specially, in place of an older rule.
    pub fn arm(&self, rule: Rule) {
        lock(&self.shared.armed).rule = Some(rule);
    }

    /// Forgets the rule; true if it was still waiting.
    pub fn disarm(&self) -> bool {
        lock(&self.shared.armed).rule.take().is_some()
    }

    /// Rules that were applied.
    pub fn hits(&self) -> u64 {
        lock(&self.shared.armed).hits
    }

    /// Frames that were held and have been sent since.
    pub fn released(&self) -> u64 {
        self.shared.released.load(Ordering::SeqCst)
    }

    /// Changes what happens to everything.
    pub fn set_weather(&self, weather: Weather) {
        *lock(&self.shared.weather) = weather;
        if weather == Weather::Cut {
            for streams in lock(&self.shared.connections).values() {
                for stream in streams {
                    let _ = stream.shutdown(Shutdown::Both);
                }
            }
        }
    }
}

type Replies = Arc<Mutex<HashMap<i32, Action>>>;

impl Shared {
    fn connect(self: &Arc<Self>, client: TcpStream) {
        if *lock(&self.weather) == Weather::Cut {
            return;
        }
        let Ok(broker) = TcpStream::connect_timeout(&self.upstream, Duration::from_secs(5)) else {
            return;
        };
        let _ = (client.set_nodelay(true), broker.set_nodelay(true));
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (Ok(client_twin), Ok(broker_twin)) = (client.try_clone(), broker.try_clone()) else {
            return;
        };
        let (Ok(client_end), Ok(broker_end)) = (client.try_clone(), broker.try_clone()) else {
            return;
        };
        lock(&self.connections).insert(number, [client_end, broker_end]);
        let replies = Replies::default();
        let (shared, expected) = (self.clone(), replies.clone());
        let back = thread::spawn(move || {
            let _ = shared.pump_replies(&broker_twin, &client_twin, &expected);
            let _ = (broker_twin.shutdown(Shutdown::Both), client_twin.shutdown(Shutdown::Both));
        });
        let _ = self.pump_requests(&client, &broker, &replies);
        let _ = (broker.shutdown(Shutdown::Both), client.shutdown(Shutdown::Both));
        let _ = back.join();
        lock(&self.connections).remove(&number);
    }

    fn pump_requests(
        self: &Arc<Self>,
        mut client: &TcpStream,
        mut broker: &TcpStream,
        replies: &Replies,
    ) -> io::Result<()> {
        while let Some(frame) = Frame::read(&mut client)? {
            let Some(action) = self.rule_for(&frame) else {
                self.send(&frame, &mut broker)?;
                continue;
            };
            match action {
                Action::Cut => return Ok(()),
                Action::Hold(time) => {
                    self.send_later(frame, time);
                    return Ok(());
                }
                Action::Repeat(time) => {
                    self.send_later(frame.clone(), time);
                    lock(replies).insert(frame.request_correlation(), Action::DropReply);
                }
                Action::DelayRequest(time) => thread::sleep(time),
                Action::DelayReply(_) | Action::DropReply | Action::SwallowReply => {
                    lock(replies).insert(frame.request_correlation(), action);
                }
            }
            self.send(&frame, &mut broker)?;
        }
        Ok(())
    }

    fn pump_replies(
        &self,
        mut broker: &TcpStream,
        mut client: &TcpStream,
        replies: &Replies,
    ) -> io::Result<()> {
        while let Some(frame) = Frame::read(&mut broker)? {
            let action = lock(replies).remove(&frame.response_correlation());
            match action {
                Some(Action::DropReply) => return Ok(()),
                Some(Action::SwallowReply) => continue,
                Some(Action::DelayReply(time)) => thread::sleep(time),
                _ => {}
            }
            self.send(&frame, &mut client)?;
        }
        Ok(())
    }

    /// The action for this request, if it is the chosen one.
    fn rule_for(&self, frame: &Frame) -> Option<Action> {
        let api = frame.api()?;
        let mut armed = lock(&self.armed);
        let rule = armed.rule.as_mut().filter(|rule| rule.api == api)?;
        if rule.after > 0 {
            rule.after -= 1;
            return None;
        }
        let action = rule.action;
        armed.rule = None;
        armed.hits += 1;
        Some(action)
    }

    fn send(&self, frame: &Frame, to: &mut impl Write) -> io::Result<()> {
        let started = Instant::now();
        loop {
            let weather = *lock(&self.weather);
            match weather {
                Weather::Open => break,
                Weather::Cut => return Err(io::Error::other("cut")),
                Weather::BlackHole => thread::sleep(Duration::from_millis(10)),
                Weather::Throttle(bytes) => {
                    let milliseconds = frame.bytes().len() as u64 * 1000 / bytes.max(1);
                    thread::sleep(Duration::from_millis(milliseconds));
                    break;
                }
                Weather::Late(middle) => {
                    // Up to twice the middle, by the frame's own number.
                    let share = frame.request_correlation().rem_euclid(3) as u32;
                    if started.elapsed() >= middle * share {
                        break;
                    }
                    thread::sleep(Duration::from_millis(5));
                }
            }
        }
        to.write_all(frame.bytes())
    }

    /// Sends a frame on a connection of its own and throws the reply away.
    fn send_later(self: &Arc<Self>, frame: Frame, time: Duration) {
        let shared = self.clone();
        thread::spawn(move || {
            thread::sleep(time);
            let sent = TcpStream::connect(shared.upstream).and_then(|mut stream| {
                // Counted before it is sent: whoever sees the frame arrive finds it counted.
                shared.released.fetch_add(1, Ordering::SeqCst);
                stream.write_all(frame.bytes())?;
                stream.set_read_timeout(Some(Duration::from_secs(30)))?;
                Frame::read(&mut stream)
            });
            // The broker may be down just then; the frame is lost, as it can be in a network.
            drop(sent);
        });
    }
}
