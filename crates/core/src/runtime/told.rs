//! What a runtime says of its own memory when it is asked, as it says it: a second opinion, asked for with `--attach`.

use serde_json::{Value, json};

use crate::units::Bytes;
use crate::waterfall::ToldAmount;

/// What a Java virtual machine answers to `VM.native_memory summary`: the total and every category (`MemSummaryReporter`,
/// src/hotspot/share/nmt/memReporter.cpp, 25; the same lines since 8). An error is its own words.
pub fn native_memory(text: &str) -> Result<Vec<ToldAmount>, String> {
    let amounts: Vec<ToldAmount> = text.lines().filter_map(category).collect();
    if amounts.is_empty() { Err(first_line(text)) } else { Ok(amounts) }
}

/// `Total: reserved=1474846KB, committed=96494KB` or `-  Java Heap (reserved=262144KB, committed=18432KB)`.
fn category(line: &str) -> Option<ToldAmount> {
    let line = line.trim();
    let name = match line.strip_prefix("Total:") {
        Some(_) => "total",
        None => line.strip_prefix('-')?.split_once(" (reserved=")?.0.trim(),
    };
    let amount = |key: &str| {
        let (_, behind) = line.split_once(key)?;
        let (number, unit) = behind.split_at(behind.find(|letter: char| !letter.is_ascii_digit())?);
        // The scale is KB unless another one is asked for.
        unit.starts_with("KB").then(|| number.parse().ok().map(Bytes::kib))?
    };
    Some(ToldAmount { name: name.to_owned(), bytes: amount("committed=")?, reserved_bytes: amount("reserved=") })
}

fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it said nothing").to_owned()
}

/// What is evaluated in Node.js. Nothing of the program's own is touched.
pub const NODE_EXPRESSION: &str = "JSON.stringify({pid: process.pid, memoryUsage: process.memoryUsage(), \
                                   heapStatistics: require('v8').getHeapStatistics()})";

/// A question of the inspector's protocol: the value of an expression (Runtime.evaluate, Chrome DevTools Protocol).
pub fn question(id: u64, expression: &str) -> String {
    // `require` is there for whoever sits at the command line.
    let params = json!({"expression": expression, "includeCommandLineAPI": true, "returnByValue": true});
    json!({"id": id, "method": "Runtime.evaluate", "params": params}).to_string()
}

/// The text that a message answers to question `id`; `None` where it is not the answer to that.
pub fn inspector_value(message: &str, id: u64) -> Option<Result<String, String>> {
    let message: Value = serde_json::from_str(message).ok()?;
    if message["id"].as_u64() != Some(id) {
        return None;
    }
    let value = message["result"]["result"]["value"].as_str().map(str::to_owned);
    let description = message["result"]["exceptionDetails"]["exception"]["description"].as_str();
    Some(value.ok_or_else(|| format!("it could not tell: {}", first_line(description.unwrap_or_default()))))
}

/// Where the WebSocket is, from the page `/json/list`: `ws://127.0.0.1:9229/UUID`.
pub fn inspector_path(list: &str) -> Result<String, String> {
    let list: Value = serde_json::from_str(list).map_err(|_| "its inspector lists nothing".to_owned())?;
    let url = list[0]["webSocketDebuggerUrl"].as_str().ok_or("its inspector is used by somebody else")?;
    let path = url.strip_prefix("ws://").and_then(|url| url.split_once('/')).map(|(_, path)| format!("/{path}"));
    let is_plain = |path: &String| path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-".contains(&byte));
    path.filter(is_plain).ok_or_else(|| "its inspector names no path".to_owned())
}

/// What Node.js answers to [`NODE_EXPRESSION`]: the pid that it has for itself, and its amounts by their own names.
pub fn node_memory(json: &str) -> Result<(u32, Vec<ToldAmount>), String> {
    let told: Value = serde_json::from_str(json).map_err(|error| format!("its answer is not JSON: {error}"))?;
    let pid = told["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).ok_or("it does not tell its pid")?;
    let mut amounts = Vec::new();
    for (key, prefix) in [("memoryUsage", "process.memoryUsage"), ("heapStatistics", "v8.getHeapStatistics")] {
        for (name, value) in told[key].as_object().into_iter().flatten() {
            // These count contexts and handles, or are a switch (node's lib/v8.js, 26).
            let counts = name.starts_with("number_of_") || name.starts_with("does_zap");
            if let Some(bytes) = value.as_u64().filter(|_| !counts) {
                amounts.push(ToldAmount {
                    name: format!("{prefix} {name}"),
                    bytes: Bytes(bytes),
                    reserved_bytes: None,
                });
            }
        }
    }
    if amounts.is_empty() { Err("it tells no amounts".into()) } else { Ok((pid, amounts)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn categories_of_native_memory_are_read_with_the_total() {
        let text = "4242:\n\nNative Memory Tracking:\n\nTotal: reserved=1474846KB, committed=96494KB\n       malloc: 27182KB #80\n\n\
                    -                 Java Heap (reserved=262144KB, committed=18432KB)\n\
                    \x20                           (mmap: reserved=262144KB, committed=18432KB) \n\
                    -     Class (reserved=1048721KB, committed=401KB)\n";
        let told = native_memory(text).unwrap();
        let names: Vec<&str> = told.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["total", "Java Heap", "Class"]);
        assert_eq!((told[1].bytes, told[1].reserved_bytes), (Bytes::mib(18), Some(Bytes::mib(256))));
        let off = native_memory("Native memory tracking is not enabled\n");
        assert_eq!(off.unwrap_err(), "Native memory tracking is not enabled");
    }

    #[test]
    fn amounts_of_node_keep_their_names_and_counts_are_left_out() {
        let json = r#"{"pid":7,"memoryUsage":{"rss":4096,"heapUsed":100},"heapStatistics":{"total_heap_size":8,"number_of_native_contexts":1}}"#;
        let (pid, told) = node_memory(json).unwrap();
        let told: Vec<(&str, u64)> = told.iter().map(|it| (it.name.as_str(), it.bytes.0)).collect();
        assert_eq!(pid, 7);
        assert!(
            told.contains(&("process.memoryUsage rss", 4096))
                && told.contains(&("v8.getHeapStatistics total_heap_size", 8))
        );
        assert_eq!(told.len(), 3);
        assert!(node_memory("{}").is_err() && node_memory("x").is_err());
    }

    #[test]
    fn the_inspectors_messages_are_understood() {
        let list = r#"[{"webSocketDebuggerUrl": "ws://127.0.0.1:9229/0f2c-4d"}]"#;
        assert_eq!(inspector_path(list).unwrap(), "/0f2c-4d");
        assert!(
            inspector_path("[{}]").is_err() && inspector_path(r#"[{"webSocketDebuggerUrl":"ws://x/a b"}]"#).is_err()
        );
        let answer = r#"{"id":1,"result":{"result":{"type":"string","value":"{}"}}}"#;
        assert_eq!(inspector_value(answer, 1), Some(Ok("{}".into())));
        assert_eq!(inspector_value(answer, 2), None);
        let failed = r#"{"id":1,"result":{"exceptionDetails":{"exception":{"description":"ReferenceError: x\n at"}}}}"#;
        assert_eq!(inspector_value(failed, 1), Some(Err("it could not tell: ReferenceError: x".into())));
    }

    proptest! {
        #[test]
        fn no_words_panic(text in "(Total:|-  |Java| \\(reserved=|committed=|KB|[0-9]|,|é|\n){0,30}") {
            let _ = (native_memory(&text), node_memory(&text));
        }
    }
}
