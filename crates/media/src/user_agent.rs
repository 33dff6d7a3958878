//! Browser and system out of a `User-Agent`, for the participant's record. A guess for humans to read; nothing is
//! decided by it.

use crate::ledger::Client;

/// Reads a `User-Agent` header.
pub fn client(user_agent: &str) -> Client {
    let (browser_name, browser_version) = browser(user_agent);
    let (os_name, os_version) = system(user_agent);
    Client { browser_name, browser_version, os_name, os_version }
}

/// Chromium's relatives all claim to be Chrome, and Chrome to be Safari: the most specific name counts.
fn browser(agent: &str) -> (String, String) {
    for (token, name) in [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("HeadlessChrome/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Version/", "Safari"),
    ] {
        if let Some(version) = after(agent, token) {
            return (name.to_owned(), version);
        }
    }
    // Not a browser: `name/version`, as of command-line tools and libraries.
    let first = agent.split(' ').next().unwrap_or_default();
    let (name, version) = first.split_once('/').unwrap_or((first, ""));
    (name.to_owned(), version.to_owned())
}

fn system(agent: &str) -> (String, String) {
    for (token, name) in [
        ("Windows NT ", "Windows"),
        ("Android ", "Android"),
        ("iPhone OS ", "iOS"),
        ("CPU OS ", "iPadOS"),
        ("Mac OS X ", "macOS"),
        ("CrOS ", "ChromeOS"),
    ] {
        if let Some(version) = after(agent, token) {
            return (name.to_owned(), version.replace('_', "."));
        }
    }
    let linux = if agent.contains("Linux") { "Linux" } else { "" };
    (linux.to_owned(), String::new())
}

fn after(agent: &str, token: &str) -> Option<String> {
    let (_, rest) = agent.split_once(token)?;
    Some(rest.chars().take_while(|char| !matches!(char, ' ' | ';' | ')')).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(agent: &str, expected: [&str; 4]) {
        let client = client(agent);
        let found = [&client.browser_name, &client.browser_version, &client.os_name, &client.os_version];
        assert_eq!(found.map(String::as_str), expected, "{agent}");
    }

    #[test]
    fn agents() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        check(
            &format!("Mozilla/5.0 (X11; Linux x86_64) {webkit} HeadlessChrome/156.0.0.0 Safari/537.36"),
            ["Chrome", "156.0.0.0", "Linux", ""],
        );
        check(
            &format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/1.0 Safari/537.36 Edg/2.0"),
            ["Edge", "2.0", "Windows", "10.0"],
        );
        check(
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/18.1 Safari/605",
            ["Safari", "18.1", "macOS", "10.15.7"],
        );
        check(
            "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
            ["Firefox", "150.0", "Linux", ""],
        );
        check("Python/3.11 aiohttp/3.9", ["Python", "3.11", "", ""]);
        check("", ["", "", "", ""]);
    }
}
