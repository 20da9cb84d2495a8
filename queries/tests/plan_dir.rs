//! temp
mod common;
use common::{cases, plan_text};
#[test]
fn plan_dir() {
    let Some(dir) = std::env::var_os("PLAN_DIR") else { return };
    for case in cases(std::path::Path::new(&dir)) {
        let name = case.path.file_name().unwrap().to_string_lossy().into_owned();
        match std::panic::catch_unwind(|| plan_text(&case)) {
            Ok(Ok(p)) => { println!("ok   {name}"); if std::env::var_os("SHOW").is_some() { println!("{}", p.graph); } }
            Ok(Err(e)) => println!("FAIL {name} {}", e.iter().map(|d| format!("{} {} [{}]", d.code, d.message, d.span.as_ref().map_or("nowhere".into(), |s| case.text[s.clone()].chars().take(40).collect::<String>()))).collect::<Vec<_>>().join("; ")),
            Err(_) => println!("PANIC {name}"),
        }
    }
}
