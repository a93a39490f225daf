;;; support.el --- What the tests of several editors share  -*- lexical-binding: t; -*-

;;; Commentary:

;; Places, agents, terminals, waiting, and the runner.

;;; Code:

(require 'cl-lib)
(require 'ert)

(defvar support-countersign nil "The program under test.")
(defvar support-folder nil "Where the tests may leave what they need.")
(defvar support-emacs nil "What starts Emacs.")
(defvar support-tmux nil "What starts tmux.")

(defconst support-here (file-name-directory (or load-file-name buffer-file-name))
  "The folder of this file.")

(defconst support-root (expand-file-name "../../.." support-here)
  "The repository.")

(defconst support-patience 20
  "Seconds after which something that was waited for counts as missing.")

;; Nothing is compiled behind the tests: that takes a C compiler.
(setq native-comp-enable-subr-trampolines nil
      native-comp-jit-compilation nil)

;;; Waiting

(defun support-until (what test &optional seen)
  "Wait until TEST returns something, and return that; WHAT it is.
SEEN returns what there is instead, for whoever reads the failure."
  (let ((end (+ (float-time) support-patience))
        result)
    (while (not (or (setq result (funcall test)) (> (float-time) end)))
      (accept-process-output nil 0.02))
    (or result
        (ert-fail (list 'missing what (and seen (funcall seen)))))))

;;; Places and agents

(cl-defstruct support-place
  "A workspace without settings and without trust, and an agent in it."
  folder workspace home process (session nil) (calls 0))

(defun support-make-place ()
  "A new place, with its agent."
  (let* ((folder (make-temp-file (expand-file-name "p" support-folder) t))
         (workspace (expand-file-name "project" folder))
         (home (expand-file-name "home" folder))
         (mail (expand-file-name "mail" folder)))
    (make-directory (expand-file-name ".git" workspace) t)
    (make-directory mail)
    (make-support-place
     :folder folder :workspace workspace :home home
     :session (format "session-%x" (abs (random)))
     :process (make-process
               :name "agent" :connection-type 'pipe :noquery t
               :buffer (generate-new-buffer " *agent*")
               :command (list support-emacs "-Q" "--batch" "-l"
                              (expand-file-name "agent.el" support-here)
                              support-countersign home mail
                              (number-to-string (emacs-pid)))))))

(defun support-leave (place)
  "End the agent of PLACE."
  (delete-process (support-place-process place)))

(defun support-call (place tool input)
  "Let the agent of PLACE call TOOL with INPUT; the file of the outcome."
  (let* ((number (cl-incf (support-place-calls place)))
         (mail (expand-file-name (format "mail/%d" number)
                                 (support-place-folder place)))
         (workspace (support-place-workspace place))
         (payload (list :session_id (support-place-session place)
                        :transcript_path (concat workspace "/transcript.jsonl")
                        :cwd workspace
                        :permission_mode "default"
                        :hook_event_name "PreToolUse"
                        :tool_name tool
                        :tool_input input
                        :tool_use_id (format "toolu_%016x" number))))
    (let ((coding-system-for-write 'no-conversion))
      (write-region (json-serialize payload) nil (concat mail ".new")
                    nil 'silent))
    (rename-file (concat mail ".new") (concat mail ".call"))
    (concat mail ".outcome")))

(defun support-command (place command)
  "Let the agent of PLACE want to run COMMAND; the file of the outcome."
  (support-call place "Bash" (list :command command)))

(defun support-outcome (outcome)
  "How the hook of OUTCOME ended, which is waited for."
  (support-until "the hook's end" (lambda () (file-exists-p outcome)))
  (with-temp-buffer
    (insert-file-contents outcome)
    (json-parse-buffer :object-type 'plist)))

(defun support-waits (outcome)
  "Check that the hook of OUTCOME has not ended."
  (should-not (file-exists-p outcome)))

(defun support-decision (ended)
  "What a hook that ENDED says of the call."
  (and (eql (plist-get ended :code) 0)
       (equal (plist-get ended :status) "exit")
       (not (string-empty-p (plist-get ended :stdout)))
       (plist-get (plist-get (json-parse-string (plist-get ended :stdout)
                                                :object-type 'plist)
                             :hookSpecificOutput)
                  :permissionDecision)))

(defun support-allows (outcome)
  "Check that the hook of OUTCOME lets the call run."
  (let ((ended (support-outcome outcome)))
    (ert-info ((format "%S" ended))
      (should (equal (support-decision ended) "allow")))))

(defun support-blocks (outcome)
  "Check that the hook of OUTCOME blocks the call; the reason for the model."
  (let ((ended (support-outcome outcome)))
    (ert-info ((format "%S" ended))
      (should (eql (plist-get ended :code) 2))
      (should (equal (plist-get ended :stdout) ""))
      (should-not (string-blank-p (plist-get ended :stderr))))
    (plist-get ended :stderr)))

(defun support-serves-p (place)
  "Whether a server says that it serves PLACE: hooks find it from then on."
  (let ((run (expand-file-name "run" (support-place-home place))))
    (and (file-directory-p run)
         (cl-some (lambda (file)
                    (with-temp-buffer
                      (insert-file-contents file)
                      (search-forward (support-place-workspace place) nil t)))
                  (directory-files-recursively run "\\.server\\.json\\'")))))

(defun support-write (place name text)
  "Write TEXT to the file NAME of PLACE; its path."
  (let ((path (expand-file-name name (support-place-workspace place))))
    (make-directory (file-name-directory path) t)
    (write-region text nil path nil 'silent)
    path))

;;; Terminals

(defvar support--terminals 0)

(defun support--tmux (terminal &rest arguments)
  "Run tmux for TERMINAL with ARGUMENTS; what it prints."
  (with-temp-buffer
    (let ((status (apply #'call-process support-tmux nil t nil
                         "-L" terminal "-f" "/dev/null" arguments)))
      (unless (eql status 0) (ert-fail (list 'tmux status (buffer-string))))
      (buffer-string))))

(defun support-terminal (directory &rest command)
  "Run COMMAND in a new terminal in DIRECTORY; the terminal."
  (let ((terminal (format "t%d" (cl-incf support--terminals))))
    (apply #'support--tmux terminal "new-session" "-d" "-x" "100" "-y" "30"
           "-c" directory command)
    terminal))

(defun support-terminal-end (terminal)
  "End TERMINAL and all that runs in it."
  (ignore-errors (support--tmux terminal "kill-server")))

(defun support-screen (terminal)
  "What TERMINAL shows, as text."
  (support--tmux terminal "capture-pane" "-p"))

(defun support-keys (terminal &rest keys)
  "Press KEYS in TERMINAL, by their names in tmux."
  (apply #'support--tmux terminal "send-keys" keys))

(defun support-types (terminal text)
  "Type TEXT in TERMINAL."
  (support--tmux terminal "send-keys" "-l" text))

(defun support-shows (terminal part)
  "Wait until TERMINAL shows PART; the whole screen."
  (let (screen)
    (support-until (format "%s on the screen" part)
                   (lambda ()
                     (setq screen (support-screen terminal))
                     (string-search part screen))
                   (lambda () screen))
    screen))

(defun support-hides (terminal part)
  "Wait until TERMINAL does not show PART."
  (support-until (format "no %s on the screen" part)
                 (lambda () (not (string-search part (support-screen terminal))))
                 (lambda () (support-screen terminal))))

;;; The runner

(defun support-run ()
  "Run all tests, tell how each went, and end Emacs."
  (let ((passed 0)
        (failed 0)
        began)
    (ert-run-tests
     (or (car command-line-args-left) t)
     (lambda (event &rest arguments)
       (pcase event
         ('test-started (setq began (float-time)))
         ('test-ended
          (let* ((test (nth 1 arguments))
                 (result (nth 2 arguments))
                 (took (- (float-time) began))
                 (well (ert-test-passed-p result)))
            (if well (cl-incf passed) (cl-incf failed))
            (princ (format "%s %s (%.1f s)\n" (if well "ok" "FAILED")
                           (ert-test-name test) took))
            (unless well
              (when (ert-test-result-with-condition-p result)
                (princ (format "  %s\n%s\n"
                               (ert-test-result-with-condition-infos result)
                               (pp-to-string
                                (ert-test-result-with-condition-condition
                                 result)))))
              (princ (ert-test-result-messages result)))
            (flush-standard-output))))))
    (princ (format "%d passed, %d failed\n" passed failed))
    (kill-emacs (if (or (> failed 0) (zerop passed)) 1 0))))

(provide 'support)
;;; support.el ends here
