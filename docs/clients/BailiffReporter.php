<?php
declare(strict_types=1);

/**
 * Reports to Bailiff from PHP (8.0 or newer). Copy this file into your application; it needs no extension.
 *
 *     $bailiff = new BailiffReporter('app-reports');
 *     $bailiff->failure($_SERVER['REMOTE_ADDR'], ['user' => $name]);   // also: abuse(…), success(…)
 *
 * The calls only note the report and never throw. What was noted is sent in one batch at the end of the request, after the
 * answer has gone out where PHP runs under FPM, and once more under the same ids where there is no answer. What can't be sent
 * then is dropped: the application goes on as if Bailiff were not there.
 */
final class BailiffReporter
{
    private const BATCH = 200;

    /** @var list<array<string, mixed>> */
    private array $waiting = [];

    /** @var ?callable(list<array<string, mixed>>, string): void */
    private $onDrop;

    /** @param float $timeout seconds for a request, and $limit reports that wait at most; $onDrop gets what was dropped, and why */
    public function __construct(
        private string $jail,
        private string $socket = '/run/bailiff/report.sock',
        private float $timeout = 0.5,
        private int $tries = 2,
        private int $limit = 1000,
        ?callable $onDrop = null,
    ) {
        $this->onDrop = $onDrop;
        register_shutdown_function(function (): void {
            if ($this->waiting !== [] && function_exists('fastcgi_finish_request')) {
                fastcgi_finish_request();
            }
            $this->flush();
        });
    }

    public function failure(?string $address, array $fields = []): void
    {
        $this->report('failure', $address, $fields);
    }

    public function success(?string $address, array $fields = []): void
    {
        $this->report('success', $address, $fields);
    }

    public function abuse(?string $address, array $fields = []): void
    {
        $this->report('abuse', $address, $fields);
    }

    /** Sends what waits. Call it by hand only where a script runs for long. */
    public function flush(): void
    {
        while ($this->waiting !== []) {
            $reports = array_splice($this->waiting, 0, self::BATCH);
            try {
                $this->send($reports);
            } catch (\Throwable $error) {
                $this->drop($reports, $error->getMessage());
            }
        }
    }

    private function report(string $outcome, ?string $address, array $fields): void
    {
        $this->waiting[] = [
            'jail' => $this->jail, 'address' => (string) $address, 'outcome' => $outcome, 'fields' => (object) $fields,
            'at' => (int) (microtime(true) * 1000), 'id' => bin2hex(random_bytes(16)),
        ];
        if (count($this->waiting) > $this->limit) {
            $this->drop([array_shift($this->waiting)], 'too many wait');
        }
    }

    private function send(array $reports): void
    {
        // Bytes that are no UTF-8, and whatever is no JSON, must not keep the others back.
        $flags = JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR;
        $body = (string) json_encode(['reports' => $reports], $flags);
        $why = 'no answer in time';
        for ($attempt = 1; $attempt <= $this->tries; $attempt++) {
            [$status, $text] = $this->post($body);
            if ($status === 200) {
                $answers = json_decode($text, true);
                $isRefused = fn (int $i): bool => ($answers[$i]['outcome'] ?? '') === 'refused';
                $refused = array_filter($reports, $isRefused, ARRAY_FILTER_USE_KEY);
                if ($refused !== []) {
                    $this->drop(array_values($refused), $text);
                }
                return;
            }
            if ($status !== 0) {
                $why = $text;
            }
            // What the daemon calls wrong is wrong the next time, too.
            if ($status >= 400 && $status < 500) {
                break;
            }
        }
        $this->drop($reports, $why);
    }

    /** @return array{int, string} the status, 0 where nobody answered; and the body */
    private function post(string $body): array
    {
        $stream = @stream_socket_client('unix://' . $this->socket, $code, $message, $this->timeout);
        if ($stream === false) {
            return [0, ''];
        }
        try {
            $deadline = microtime(true) + $this->timeout;
            stream_set_blocking($stream, false);
            $left = "POST /v1/reports HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: " . strlen($body) . "\r\n\r\n" . $body;
            $answer = '';
            // HTTP/1.0: the connection ends with the answer.
            while ($left !== '' || !feof($stream)) {
                $read = $left === '' ? [$stream] : null;
                $write = $left === '' ? null : [$stream];
                $except = null;
                $rest = $deadline - microtime(true);
                if ($rest <= 0 || !@stream_select($read, $write, $except, (int) $rest, (int) (fmod($rest, 1) * 1e6))) {
                    return [0, ''];
                }
                if ($left !== '') {
                    $written = @fwrite($stream, $left);
                    if ($written === false) {
                        return [0, ''];
                    }
                    $left = substr($left, $written);
                } else {
                    $answer .= (string) @fread($stream, 65536);
                }
            }
            [$head, $text] = explode("\r\n\r\n", $answer, 2) + ['', ''];
            return [preg_match('~^HTTP/1\.\d (\d{3})~', $head, $found) ? (int) $found[1] : 0, $text];
        } finally {
            fclose($stream);
        }
    }

    private function drop(array $reports, string $why): void
    {
        try {
            if ($this->onDrop !== null) {
                ($this->onDrop)($reports, $why);
            }
        } catch (\Throwable) {
            // Whoever listens must not break the application either.
        }
    }
}
