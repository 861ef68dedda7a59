use h2ws::*;
struct Echo(Engine);
impl Handler for Echo {
    fn request(&self, r: &Request<'_>) {
        let _ = match r.kind {
            StreamKind::WebSocket => self.0.accept(r.stream, &Accept::default()),
            StreamKind::Http => self.0.respond(r.stream, 200, Default::default(), b"hello, world"),
        };
    }
    fn message(&self, m: &Message<'_>) { let _ = self.0.send(m.stream, m.kind, m.data); }
    fn closed(&self, c: &Closed<'_>) { if std::env::var_os("TRACE").is_some() { eprintln!("{c:?}"); } }
    fn log(&self, level: LogLevel, t: &str) { eprintln!("{level:?} {t}"); }
}
fn main() {
    let port = std::env::var("PORT").unwrap_or("8080".into());
    let e = Engine::start(Config { loops: 1, max_streams: 1000, ..Config::default() }, Echo).unwrap();
    let l = e.listen(&format!("127.0.0.1:{port}"), &ListenOptions::default()).unwrap();
    println!("listening on http://{}", e.listener_address(l).unwrap());
    loop { std::thread::park(); }
}
