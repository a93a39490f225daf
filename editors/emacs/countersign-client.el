;;; countersign-client.el --- One server for each project  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 the Countersign authors
;; SPDX-License-Identifier: MIT OR Apache-2.0

;;; Commentary:

;; A connection to `countersign lsp' by the library that Eglot uses too.  Eglot
;; itself runs one server for a major mode of a project, and Countersign is a
;; second one beside the language's: so it has a connection of its own, for the
;; whole project, that synchronizes no file.

;;; Code:

(require 'cl-lib)
(require 'jsonrpc)
(require 'url-util)
(require 'countersign-text)

(defgroup countersign nil
  "Decide what coding agents may do."
  :group 'tools
  :prefix "countersign-")

(defcustom countersign-program "countersign"
  "The program, by its name or by its whole path.
It runs with your rights: a project must not say which one it is."
  :type 'string
  :risky t)

(defcustom countersign-arguments nil
  "Arguments for `countersign lsp'."
  :type '(repeat string)
  :risky t)

(defcustom countersign-settings nil
  "Your settings for all projects, as a property list that becomes JSON.
For example (:permissions (:deny [\"Read(.env)\"])).  Sent when a server
starts; what stands in your settings file needs no mention here."
  :type 'plist
  :risky t)

(defconst countersign-client--restarts 3
  "How often a server that ended by itself is started anew in a row.")

(defconst countersign-client--long 60
  "Seconds after which a server that ran so long may be started anew again.")

(defvar countersign-client-notified-functions nil
  "Functions that are told what a server says: CONNECTION, METHOD, PARAMS.")

(defvar countersign-client-asked-functions nil
  "Functions that answer requests: CONNECTION, METHOD, PARAMS.
The first to return a list with the answer in it answers.")

(defvar countersign-client-changed-hook nil
  "Run when a status changed, or a server started or ended.")

(defvar countersign-client--connections nil
  "All connections by the root of their project, as an alist.")

(defvar countersign-client--past (make-hash-table :test #'equal)
  "By root: how often its server ended in a row.")

(defclass countersign-connection (jsonrpc-process-connection)
          ((root :initarg :root :reader countersign-client-root
                 :documentation "The folder of the project.")
           (status :initform nil :accessor countersign-client-status
                   :documentation "The last status, as a property list.")
           (ready :initform nil :accessor countersign-client-ready
                  :documentation "Whether the server answered `initialize'.")
           (ending :initform nil :accessor countersign-client-ending
                   :documentation "Whether its end is wanted.")
           (began :initform (float-time) :reader countersign-client--began
                  :documentation "When it was started."))
          :documentation "A connection to the server of a project.")

;; A question of the server is answered later, when a person did.  `jsonrpc'
;; answers at once with what its dispatcher returns.  So the question becomes a
;; notification that carries its own number.
(cl-defmethod jsonrpc-convert-from-endpoint
  ((_connection countersign-connection) _message)
  "Give what asks a person its number as a parameter."
  (let ((message (cl-call-next-method)))
    (if (and (equal (plist-get message :method) "window/showMessageRequest")
             (plist-member message :id))
        (list :method "window/showMessageRequest"
              :params (list :id (plist-get message :id)
                            :params (plist-get message :params)))
      message)))

(defun countersign-client-all ()
  "All connections."
  (mapcar #'cdr countersign-client--connections))

(defun countersign-client-of (root)
  "The connection of the project at ROOT, or nil."
  (and root (alist-get root countersign-client--connections nil nil #'equal)))

(defun countersign-client--uri (path)
  "The URI of PATH."
  (concat "file://" (url-hexify-string (directory-file-name path)
                                       url-path-allowed-chars)))

(defun countersign-client-path (uri)
  "The local path of a file's URI, or nil."
  (when (string-match "\\`file://\\(/.*\\)\\'" uri)
    (decode-coding-string (url-unhex-string (match-string 1 uri)) 'utf-8)))

(defun countersign-client--initialize-params (root)
  "What is said to the server of ROOT when it begins."
  (list :processId (emacs-pid)
        :clientInfo (list :name "Emacs" :version emacs-version)
        :rootUri (countersign-client--uri root)
        :workspaceFolders
        (vector (list :uri (countersign-client--uri root)
                      :name (file-name-nondirectory (directory-file-name root))))
        :capabilities
        '( :workspace (:workspaceFolders t)
           :window (:showDocument (:support t))
           :experimental (:countersign (:kind "emacs" :documents t)))
        :initializationOptions
        (if countersign-settings (list :user countersign-settings)
          (make-hash-table))))

(defun countersign-client-start (root)
  "Start the server of the project at ROOT, unless it runs; its connection."
  (or (countersign-client-of root)
      (let* ((name (format "countersign %s" (abbreviate-file-name root)))
             (default-directory (file-name-as-directory root))
             (connection
              (make-instance
               'countersign-connection
               :name name :root root
               ;; Messages hold what an answer must carry: no log of them.
               :events-buffer-config '(:size 0 :format short)
               :notification-dispatcher #'countersign-client--notified
               :request-dispatcher #'countersign-client--asked
               :on-shutdown #'countersign-client--ended
               :process
               (lambda ()
                 (make-process
                  :name name
                  :command (append (list countersign-program "lsp")
                                   countersign-arguments)
                  :connection-type 'pipe
                  :coding 'utf-8-emacs-unix
                  :noquery t
                  :stderr (get-buffer-create (format "*%s stderr*" name)))))))
        (push (cons root connection) countersign-client--connections)
        (jsonrpc-async-request
         connection :initialize (countersign-client--initialize-params root)
         :success-fn (lambda (_answer) (countersign-client--begun connection))
         :error-fn (lambda (problem)
                     (countersign-client--say "the server does not start: %s"
                                              (plist-get problem :message))))
        connection)))

(defun countersign-client--begun (connection)
  "Go on when the server of CONNECTION is ready."
  (jsonrpc-notify connection :initialized (make-hash-table))
  (setf (countersign-client-ready connection) t)
  (countersign-client-request
   connection :countersign/status nil
   (lambda (status)
     (countersign-client--notified connection 'countersign/status status)))
  ;; What waited before this Emacs came.
  (countersign-client-request
   connection :countersign/pendingApprovals nil
   (lambda (answer)
     (seq-do (lambda (approval)
               (countersign-client--notified
                connection 'countersign/approvalRequested approval))
             (plist-get answer :approvals))))
  (run-hooks 'countersign-client-changed-hook))

(defun countersign-client--notified (connection method params)
  "Take a notification of CONNECTION: METHOD with PARAMS."
  (pcase method
    ('countersign/status
     (setf (countersign-client-status connection) params)
     (run-hooks 'countersign-client-changed-hook))
    ('window/showMessage
     (message "%s" (countersign-text-line (plist-get params :message)))))
  (run-hook-with-args 'countersign-client-notified-functions
                      connection method params))

(defun countersign-client--asked (connection method params)
  "Answer a request of CONNECTION: METHOD with PARAMS.
What is not known is refused: an answer could be taken for a yes."
  (let ((answer (run-hook-with-args-until-success
                 'countersign-client-asked-functions connection method params)))
    (if answer (car answer)
      (jsonrpc-error :code -32601 :message (format "no method %s" method)))))

(defun countersign-client-request (connection method params then)
  "Ask CONNECTION for METHOD with PARAMS and call THEN with the answer.
What goes wrong is told to the person."
  (jsonrpc-async-request
   connection method params
   :timeout 60
   :success-fn then
   :error-fn (lambda (problem)
               (countersign-client--say "%s" (plist-get problem :message)))
   :timeout-fn (lambda () (countersign-client--say "no answer to %s" method))))

(defun countersign-client-command (connection name arguments &optional then)
  "Have CONNECTION run the command NAME with ARGUMENTS, a list.
THEN is called with what comes of it.  Commands that approve, grant or
loosen open a prompt of their own."
  (countersign-client-request
   connection :workspace/executeCommand
   (list :command (concat "countersign.server." name)
         :arguments (vconcat arguments))
   (or then #'ignore)))

(defun countersign-client--say (format &rest arguments)
  "Tell the person something: FORMAT with ARGUMENTS."
  (message "Countersign: %s"
           (countersign-text-line (apply #'format format arguments))))

(defun countersign-client--ended (connection)
  "Forget CONNECTION, whose server ended; start another if that was not wanted."
  (let* ((root (countersign-client-root connection))
         (lasted (- (float-time) (countersign-client--began connection)))
         (ends (if (> lasted countersign-client--long) 0
                 (gethash root countersign-client--past 0))))
    (setq countersign-client--connections
          (cl-delete connection countersign-client--connections :key #'cdr))
    (unless (countersign-client-ending connection)
      (puthash root (1+ ends) countersign-client--past)
      (countersign-client--say
       "the server of %s ended: nothing is asked about here%s" root
       (if (< ends countersign-client--restarts) "; it is started again"
         ".  M-x countersign-log says why, M-x countersign-restart starts it"))
      (when (< ends countersign-client--restarts)
        (run-with-timer 1 nil #'countersign-client--start-again root)))
    (run-hook-with-args 'countersign-client-notified-functions
                        connection 'countersign/ended nil)
    (run-hooks 'countersign-client-changed-hook)))

(defun countersign-client--start-again (root)
  "Start the server of ROOT again, unless nobody wants it any more."
  (when (and (bound-and-true-p countersign-mode) (file-directory-p root))
    (condition-case problem (countersign-client-start root)
      (error (countersign-client--say "%s" (error-message-string problem))))))

(defun countersign-client-stop (connection)
  "End the server of CONNECTION, and wait until it ended."
  (setf (countersign-client-ending connection) t)
  (when (jsonrpc-running-p connection)
    (ignore-errors (jsonrpc-request connection :shutdown nil :timeout 3))
    (ignore-errors (jsonrpc-notify connection :exit nil))
    (jsonrpc-shutdown connection t)))

(provide 'countersign-client)
;;; countersign-client.el ends here
