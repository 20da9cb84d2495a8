//! The proxy against a server that writes down what it gets: what is said to happen, does.

#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use millstream_rig::frame::{Api, Frame};
use millstream_rig::proxy::{Action, Proxy, Rule, Weather};

const SOON: Duration = Duration::from_millis(50);
const NEVER: Duration = Duration::from_secs(20);

struct World {
    proxy: Proxy,
    /// Requests as the server got them: number of the connection, correlation id.
    got: Receiver<(usize, i32)>,
}

/// A server that answers each request with a response of the same correlation id.
fn world() -> World {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let upstream = listener.local_addr().unwrap();
    let (tell, got) = channel();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let (mut stream, tell) = (stream.unwrap(), tell.clone());
            thread::spawn(move || {
                while let Ok(Some(frame)) = Frame::read(&mut stream) {
                    let correlation = frame.request_correlation();
                    let _ = tell.send((number, correlation));
                    let _ = stream.write_all(Frame::response(correlation, b"done").bytes());
                }
            });
        }
    });
    let front = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    World { proxy: Proxy::start(front, upstream).unwrap(), got }
}

impl World {
    fn client(&self) -> TcpStream {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.proxy.port()));
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(NEVER)).unwrap();
        stream
    }

    fn arm(&self, api: Api, after: u32, action: Action) {
        self.proxy.arm(Rule { api, after, action });
    }

    fn server_got(&self) -> (usize, i32) {
        self.got.recv_timeout(NEVER).unwrap()
    }
}

fn send(stream: &mut TcpStream, api: Api, correlation: i32) {
    stream.write_all(Frame::request(api.key(), correlation, b"body").bytes()).unwrap();
}

/// Correlation id of the next response; `None` if the connection broke.
fn answer(stream: &mut TcpStream) -> Option<i32> {
    Frame::read(stream).ok().flatten().map(|frame| frame.response_correlation())
}

#[test]
fn frames_pass_as_they_are() {
    let world = world();
    let mut client = world.client();
    for correlation in 0..100 {
        send(&mut client, Api::Produce, correlation);
        assert_eq!(world.server_got(), (0, correlation));
        assert_eq!(answer(&mut client), Some(correlation));
    }
    assert_eq!(world.proxy.hits(), 0);
}

#[test]
fn a_dropped_reply_breaks_the_connection_after_the_broker_has_acted() {
    let world = world();
    let mut client = world.client();
    world.arm(Api::EndTxn, 1, Action::DropReply);
    send(&mut client, Api::EndTxn, 1);
    assert_eq!(answer(&mut client), Some(1));
    send(&mut client, Api::EndTxn, 2);
    assert_eq!(answer(&mut client), None);
    assert_eq!([world.server_got(), world.server_got()], [(0, 1), (0, 2)]);
    assert_eq!(world.proxy.hits(), 1);
    // Once, and never again.
    let mut client = world.client();
    send(&mut client, Api::EndTxn, 3);
    assert_eq!(answer(&mut client), Some(3));
}

#[test]
fn a_swallowed_reply_leaves_the_connection() {
    let world = world();
    let mut client = world.client();
    world.arm(Api::AddPartitionsToTxn, 0, Action::SwallowReply);
    send(&mut client, Api::AddPartitionsToTxn, 1);
    send(&mut client, Api::AddPartitionsToTxn, 2);
    assert_eq!(answer(&mut client), Some(2));
    assert_eq!(world.server_got(), (0, 1));
}

#[test]
fn a_held_request_arrives_on_another_connection_after_the_client_has_tried_again() {
    let world = world();
    let mut client = world.client();
    world.arm(Api::EndTxn, 0, Action::Hold(SOON));
    send(&mut client, Api::EndTxn, 7);
    assert_eq!(answer(&mut client), None);
    assert_eq!(world.server_got(), (1, 7));
    assert_eq!(world.proxy.released(), 1);
}

#[test]
fn a_repeated_request_arrives_twice_and_its_connection_breaks() {
    let world = world();
    let mut client = world.client();
    world.arm(Api::EndTxn, 0, Action::Repeat(SOON));
    send(&mut client, Api::EndTxn, 7);
    assert_eq!(answer(&mut client), None);
    assert_eq!([world.server_got(), world.server_got()], [(0, 7), (1, 7)]);
}

#[test]
fn a_cut_request_never_arrives() {
    let world = world();
    let mut client = world.client();
    world.arm(Api::TxnOffsetCommit, 0, Action::Cut);
    send(&mut client, Api::TxnOffsetCommit, 1);
    assert_eq!(answer(&mut client), None);
    let mut client = world.client();
    send(&mut client, Api::TxnOffsetCommit, 2);
    assert_eq!(answer(&mut client), Some(2));
    assert_eq!(world.server_got().1, 2);
}

#[test]
fn what_is_delayed_arrives_all_the_same() {
    let world = world();
    let mut client = world.client();
    for (correlation, action) in
        [Action::DelayRequest(SOON), Action::DelayReply(SOON)].into_iter().enumerate()
    {
        world.arm(Api::InitProducerId, 0, action);
        send(&mut client, Api::InitProducerId, correlation as i32);
        assert_eq!(answer(&mut client), Some(correlation as i32));
    }
    assert_eq!(world.proxy.hits(), 2);
}

#[test]
fn cut_weather_breaks_connections_and_refuses_new_ones() {
    let world = world();
    let mut client = world.client();
    send(&mut client, Api::Produce, 1);
    assert_eq!(answer(&mut client), Some(1));
    world.proxy.set_weather(Weather::Cut);
    assert_eq!(answer(&mut client), None);
    assert_eq!(answer(&mut world.client()), None);
    world.proxy.set_weather(Weather::Open);
    let mut client = world.client();
    send(&mut client, Api::Produce, 2);
    assert_eq!(answer(&mut client), Some(2));
}

#[test]
fn nothing_leaves_a_black_hole_until_it_is_gone() {
    let world = world();
    let mut client = world.client();
    world.proxy.set_weather(Weather::BlackHole);
    send(&mut client, Api::Produce, 1);
    assert!(world.got.recv_timeout(SOON).is_err());
    world.proxy.set_weather(Weather::Open);
    assert_eq!(answer(&mut client), Some(1));
}

#[test]
fn slow_weather_is_only_slow() {
    let world = world();
    let mut client = world.client();
    for weather in [Weather::Throttle(4096), Weather::Late(Duration::from_millis(5))] {
        world.proxy.set_weather(weather);
        for correlation in 0..5 {
            send(&mut client, Api::Produce, correlation);
            assert_eq!(answer(&mut client), Some(correlation));
        }
    }
}
