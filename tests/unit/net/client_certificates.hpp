// A certificate authority for tests, made in memory: no files in the repository that expire.
#pragma once
#include <filesystem>
#include <string>

namespace tollgate::net::test {

/// One CA and one server certificate of it, as PEM files in a folder that goes with the object.
class Certificates {
 public:
  /// `names`: as OpenSSL's subjectAltName wants them, "DNS:provider.test,IP:127.0.0.1".
  explicit Certificates(const std::string& names);
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;
  [[nodiscard]] std::string ca() const { return folder_ / "ca.pem"; }
  [[nodiscard]] std::string certificate() const { return folder_ / "server.pem"; }
  [[nodiscard]] std::string key() const { return folder_ / "server.key"; }

 private:
  std::filesystem::path folder_;
};

}  // namespace tollgate::net::test
