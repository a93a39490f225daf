;;; helix-tests.el --- A person answers an agent in Helix  -*- lexical-binding: t; -*-

;;; Commentary:

;; The configuration is the one of docs/editors/helix.md.  A Helix without
;; prompts is no surface: each test then ends with the agent being told to ask.

;;; Code:

(require 'support)

(defvar helix-program)
(defvar helix-kind)

(defun helix-tests--configuration (place)
  "What docs/editors/helix.md tells people to write, for the server of PLACE.
The only differences are the program's path, a home of its own, and plain text
for the language, which needs no other server."
  (let* ((page (with-temp-buffer
                 (insert-file-contents
                  (expand-file-name "docs/editors/helix.md" support-root))
                 (buffer-string)))
         (text (and (string-match "```toml\n\\(\\(?:.\\|\n\\)*?\\)```" page)
                    (match-string 1 page))))
    (should text)
    (pcase-dolist
        (`(,from . ,to)
         `(("command = \"countersign\"" . ,(format "command = %S" support-countersign))
           ("args = [\"lsp\"]"
            . ,(format "args = [\"lsp\", \"--home\", %S]"
                       (support-place-home place)))
           ("name = \"rust\"\n"
            . "name = \"notes\"\nscope = \"text.notes\"\nfile-types = [\"txt\"]\n")
           ("[\"rust-analyzer\", \"countersign\"]" . "[\"countersign\"]")))
      (should (string-search from text))
      (setq text (string-replace from to text)))
    text))

(defmacro helix-tests-with (place terminal &rest body)
  "Run BODY with PLACE and Helix in TERMINAL, which shows a file of it."
  (declare (indent 2) (debug (symbolp symbolp body)))
  `(let* ((,place (support-make-place))
          (,terminal (helix-tests--start ,place)))
     (unwind-protect (progn ,@body)
       (support-terminal-end ,terminal)
       (support-leave ,place))))

(defun helix-tests--start (place)
  "A terminal with Helix on a file of PLACE, connected to its server."
  (let* ((file (support-write place "notes.txt" "first\nsecond\nthird\n"))
         (configuration (expand-file-name "configuration"
                                          (support-place-folder place)))
         (terminal
          (progn
            (make-directory (expand-file-name "helix" configuration) t)
            (write-region (helix-tests--configuration place) nil
                          (expand-file-name "helix/languages.toml" configuration)
                          nil 'silent)
            (support-terminal (support-place-workspace place)
                              "env" (concat "XDG_CONFIG_HOME=" configuration)
                              helix-program file))))
    (support-shows terminal "notes.txt")
    (support-until "a server" (lambda () (support-serves-p place))
                   (lambda () (support-screen terminal)))
    terminal))

(defconst helix-tests--titles "Approve once"
  "What a prompt of Countersign shows.")

(defun helix-tests--asks-p (place terminal)
  "Whether the Helix in TERMINAL asks about a call of the agent of PLACE.
If so it waits; if not, the agent is told to ask."
  (let ((hook (support-command place "touch made-by-the-agent")))
    (support-until "a prompt, or the end of the hook"
                   (lambda ()
                     (or (file-exists-p hook)
                         (string-search helix-tests--titles
                                        (support-screen terminal))))
                   (lambda () (support-screen terminal)))
    (should (equal helix-kind (if (file-exists-p hook) "none" "prompts")))
    (if (file-exists-p hook)
        (ert-info ((format "%S" (support-outcome hook)))
          ;; From the first call on, the agent's own prompt asks.
          (should (equal (support-decision (support-outcome hook)) "ask"))
          nil)
      hook)))

(ert-deftest helix-denies-by-enter-because-the-no-comes-first ()
  (helix-tests-with place terminal
    (when-let* ((hook (helix-tests--asks-p place terminal)))
      (let ((screen (support-shows terminal "touch made-by-the-agent")))
        (should (< (string-search "Deny" screen)
                   (string-search helix-tests--titles screen))))
      (support-waits hook)
      (support-keys terminal "Enter")
      (support-blocks hook))))

(ert-deftest helix-approves-what-was-chosen ()
  (helix-tests-with place terminal
    (when-let* ((hook (helix-tests--asks-p place terminal)))
      (sleep-for 0.7)
      (support-keys terminal "Down")
      (support-keys terminal "Enter")
      (support-allows hook))))

(ert-deftest helix-takes-escape-and-typing-for-a-no ()
  (helix-tests-with place terminal
    (when-let* ((hook (helix-tests--asks-p place terminal)))
      (support-keys terminal "Escape")
      (support-blocks hook))
    (support-types terminal "i")
    (support-shows terminal "INS")
    (let ((hook (support-command place "touch another")))
      (support-until "a prompt, or the end of the hook"
                     (lambda ()
                       (or (file-exists-p hook)
                           (string-search helix-tests--titles
                                          (support-screen terminal)))))
      ;; Whoever types on has not read it.
      (support-types terminal "abc")
      (support-keys terminal "Enter")
      (if (string-equal "ask" (or (support-decision (support-outcome hook)) ""))
          (should-not (string-search helix-tests--titles
                                     (support-screen terminal)))
        (support-blocks hook)))))

(ert-deftest helix-chooses-a-mode-by-its-command ()
  (helix-tests-with place terminal
    (when-let* ((hook (helix-tests--asks-p place terminal)))
      (support-keys terminal "Enter")
      (support-blocks hook)
      (support-types terminal
                     ":lsp-workspace-command countersign.server.setMode \"plan\"")
      (support-keys terminal "Enter")
      (should (string-search
               "plan" (support-blocks (support-command place "touch x")))))))

(ert-deftest helix-shows-an-edit-where-it-would-change-the-file ()
  (helix-tests-with place terminal
    (when-let* ((hook (helix-tests--asks-p place terminal)))
      (support-keys terminal "Enter")
      (support-blocks hook)
      (let ((hook (support-call
                   place "Edit"
                   (list :file_path (expand-file-name
                                     "notes.txt"
                                     (support-place-workspace place))
                         :old_string "second" :new_string "2nd"))))
        (let ((screen (support-shows terminal "Show")))
          ;; An edit does not fit into a prompt: there is no yes before it was
          ;; shown.
          (should (string-search "Deny" screen))
          (should-not (string-search helix-tests--titles screen)))
        (sleep-for 0.7)
        (support-keys terminal "Down")
        (support-keys terminal "Enter")
        ;; The whole is open below the prompt, which may cover it: so reading on
        ;; is an answer too.
        (support-shows terminal "session-")
        (support-shows terminal "Read on, ask again in a minute")
        (support-waits hook)
        (sleep-for 0.7)
        (support-keys terminal "Down")
        (support-keys terminal "Enter")
        (support-allows hook)))))

;;; helix-tests.el ends here
