//! The address of an API's stages as `apiEndpoint` prints it: of its protocol, else as every API's.

use stagedoor_api::apigatewayv2::ProtocolType;
use stagedoor_state::execute_api;

/// The API's address below the origin of the HTTP listener.
pub fn of(origin: &str, region: &str, protocol: ProtocolType, api: &str) -> String {
    let origin = match protocol {
        ProtocolType::Http => origin.to_owned(),
        ProtocolType::Websocket => origin.replacen("http", "ws", 1),
    };
    execute_api::by_host(&origin, region, api)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_sockets_have_a_scheme_of_their_own() {
        let address = |protocol| of("https://example.com", "eu-west-1", protocol, "a1");
        assert_eq!(address(ProtocolType::Http), "https://a1.execute-api.eu-west-1.example.com");
        assert_eq!(address(ProtocolType::Websocket), "wss://a1.execute-api.eu-west-1.example.com");
    }
}
